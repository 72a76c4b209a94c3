// What a client sends to demail-cardd: a payload is refused or is one message that is written back
// to the same bytes; frames come out of a stream alike, however it is cut.
#include "fuzz.hpp"
#include "wire/codec.hpp"
#include "wire/frame.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace demail::fuzz {
namespace {

constexpr std::size_t most = wire::limit::request;

std::vector<std::string> frames(std::string_view stream, std::size_t step, bool &broken) {
    wire::FrameReader reader(most);
    std::vector<std::string> found;
    while (!stream.empty() && !reader.broken()) {
        const auto room = reader.room();
        const std::size_t size = std::min({stream.size(), step, room.size});
        HOLDS(size > 0);
        std::memcpy(room.data, stream.data(), size);
        reader.received(size);
        stream.remove_prefix(size);
        while (const auto payload = reader.next()) {
            HOLDS(!payload->empty() && payload->size() <= most);
            found.emplace_back(*payload);
        }
    }
    broken = reader.broken();
    return found;
}

void is_sound(const wire::Request &request) {
    if (const auto *login = std::get_if<wire::Login>(&request))
        HOLDS(wire::carries_secret(request) == login->pin.has_value());
    if (const auto *sign = std::get_if<wire::Sign>(&request)) {
        HOLDS(!wire::carries_secret(request));
        HOLDS(sign->input.size() <= wire::limit::input);
        HOLDS(sign->key.size() <= wire::limit::name && sign->serial.size() <= wire::limit::name);
    }
    if (const auto *wait = std::get_if<wire::WaitForChange>(&request))
        HOLDS(wait->timeout_ms <= 60'000);
}

} // namespace

void wire_request(std::string_view input) {
    if (const auto parsed = wire::parse_request(input)) {
        HOLDS(input.size() <= most);
        HOLDS(wire::request_frame(parsed->id, parsed->request).view().substr(4) == input);
        is_sound(parsed->request);
    }
    bool broken_whole = false, broken_cut = false;
    const auto whole = frames(input, most + 4, broken_whole);
    const auto cut = frames(input, 1 + input.size() % 7, broken_cut);
    HOLDS(whole == cut && broken_whole == broken_cut);
}

} // namespace demail::fuzz
