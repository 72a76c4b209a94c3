#include "wire/codec.hpp"

#include "wire/fields.hpp"
#include "wire/reader.hpp"
#include "wire/writer.hpp"

#include <stdexcept>

namespace demail::wire {
namespace {

void whole(auto &io, Of<NumberedRequest> auto &m) {
    io.number(m.id);
    alternative(io, m.request);
}

void whole(auto &io, Of<Reply> auto &m) {
    io.number(m.id);
    io.number(m.rv);
    io.sentence(m.sentence, limit::sentence);
    alternative(io, m.body);
}

template <typename Fields>
Secret frame(std::size_t limit, Fields write) {
    Writer count;
    write(count);
    const auto size = static_cast<std::uint32_t>(count.written());
    if (size > limit) throw std::length_error("message beyond its limit");
    Secret bytes(sizeof size + size);
    bytes.resize(bytes.capacity());
    Writer out(bytes.data());
    out.number(size);
    write(out);
    return bytes;
}

template <typename Message>
std::optional<Message> parsed(std::string_view payload, std::size_t limit) {
    if (payload.size() > limit) return std::nullopt;
    Reader in(payload);
    Message message;
    whole(in, message);
    if (!in.complete()) return std::nullopt;
    return message;
}

} // namespace

Secret request_frame(std::uint32_t id, const Request &request) {
    return frame(limit::request, [&](Writer &out) {
        out.number(id);
        alternative(out, request);
    });
}

Secret reply_frame(const Reply &reply) {
    return frame(limit::reply, [&](Writer &out) { whole(out, reply); });
}

std::optional<NumberedRequest> parse_request(std::string_view payload) {
    return parsed<NumberedRequest>(payload, limit::request);
}

std::optional<Reply> parse_reply(std::string_view payload) {
    return parsed<Reply>(payload, limit::reply);
}

} // namespace demail::wire
