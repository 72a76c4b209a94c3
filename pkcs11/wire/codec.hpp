// Messages to bytes and back. Numbers are big-endian, a string is its length (32 bits) and its
// bytes. Whatever comes in is hostile, on both sides: a payload is parsed once, in full, or
// refused. Pure, thread-safe.
#pragma once

#include "wire/message.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace demail::wire {

/// A request with its id, as it came over the wire.
struct NumberedRequest {
    std::uint32_t id = 0;
    Request request;
};

/// A frame: the payload's length in 4 bytes and the payload. Both throw std::length_error where the
/// message goes beyond a limit of message.hpp.
[[nodiscard]] Secret request_frame(std::uint32_t id, const Request &request);
[[nodiscard]] Secret reply_frame(const Reply &reply);

/// Payloads of one frame. nullopt for anything but exactly one message within its limits: then the
/// connection has lost its sense and is closed.
[[nodiscard]] std::optional<NumberedRequest> parse_request(std::string_view payload);
[[nodiscard]] std::optional<Reply> parse_reply(std::string_view payload);

} // namespace demail::wire
