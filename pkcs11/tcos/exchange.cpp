#include "tcos/exchange.hpp"

#include <algorithm>
#include <stdexcept>

namespace demail::tcos {
namespace {

std::span<unsigned char> room_of(Secret &buffer) noexcept {
    return {reinterpret_cast<unsigned char *>(buffer.data()), buffer.capacity()};
}

// A card may hand out its data in small pieces, but not for ever.
constexpr int most_pieces = 64;

} // namespace

Exchange::Exchange(Trace trace)
    : trace_(std::move(trace)), command_(longest_command), answer_(longest_answer) {}

void Exchange::begin(std::unique_ptr<Transport> transport) noexcept {
    end();
    transport_ = std::move(transport);
}

void Exchange::end() noexcept {
    wipe();
    transport_.reset();
    lost_ = Loss::card_removed;
}

void Exchange::wipe() noexcept {
    command_.wipe();
    answer_.wipe();
}

Loss Exchange::garbled() noexcept {
    end();
    return lost_ = Loss::garbled;
}

Exchange::Outcome Exchange::run(const Command &command) {
    answer_.resize(0);
    Outcome outcome = once(command, 0);
    const auto *response = std::get_if<Response>(&outcome);
    if (response == nullptr || command.expected == 0) return outcome;
    if (response->status.sw1() == 0x6c) { // ISO 7816-4 5.1.3: Le was wrong, SW2 is right
        Command again = command;
        again.expected = response->status.sw2() == 0 ? 256 : response->status.sw2();
        outcome = once(again, 0);
        response = std::get_if<Response>(&outcome);
        if (response == nullptr) return outcome;
    }
    return fetch_rest(*response, command.expected);
}

Exchange::Outcome Exchange::fetch_rest(Response response, std::size_t expected) {
    std::size_t have = response.data.size();
    for (int piece = 0; response.status.sw1() == 0x61; ++piece) {
        const std::size_t more = response.status.sw2() == 0 ? 256 : response.status.sw2();
        if (piece == most_pieces || have + more + 2 > answer_.capacity()) return garbled();
        const Outcome outcome = once({0x00, 0xc0, 0x00, 0x00, {}, more}, have);
        const auto *const next = std::get_if<Response>(&outcome);
        if (next == nullptr) return outcome;
        have += next->data.size();
        response.status = next->status;
    }
    // What was not asked for is nobody's business.
    response.data = bytes_of(answer_.view()).first(std::min(have, expected));
    return response;
}

Exchange::Outcome Exchange::once(const Command &command, std::size_t offset) {
    if (!transport_) return lost_;
    const auto size = encode(command, room_of(command_));
    if (!size) throw std::logic_error("an APDU beyond the limits");
    command_.resize(*size);
    const std::span<unsigned char> room = room_of(answer_).subspan(offset);
    ++apdus_;
    const std::string shown = trace_ ? description(bytes_of(command_.view())) : std::string();
    const Transmitted sent = transport_->transmit(bytes_of(command_.view()), room);
    command_.wipe();
    const auto *const loss = std::get_if<Loss>(&sent);
    if (loss != nullptr) {
        end();
        lost_ = *loss;
        if (trace_) trace_(shown, text(lost_));
        return lost_;
    }
    const std::size_t got = std::get<std::size_t>(sent);
    const auto response =
        got <= room.size() ? parse_response(room.first(got)) : std::optional<Response>();
    if (!response) {
        if (trace_) trace_(shown, text(Loss::garbled));
        return garbled();
    }
    answer_.resize(offset + got);
    if (trace_) trace_(shown, text(response->status));
    return *response;
}

} // namespace demail::tcos
