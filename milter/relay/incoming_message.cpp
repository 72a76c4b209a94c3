#include "relay/incoming_message.hpp"

#include <algorithm>

namespace demail::relay {

namespace {
/// Postfix's header_size_limit is 100 KiB a field; a seal for the 50 000 recipients of its default
/// limit has 1 MiB.
constexpr std::size_t header_limit = 4 * 1024 * 1024;
constexpr std::string_view empty_line = "\r\n\r\n";
} // namespace

void IncomingMessage::receive(std::string_view bytes) {
    if (header_too_long_) return;
    file_.append(bytes);
    if (in_body_) return body_sha256_.update(bytes);
    // The end may straddle two chunks: look again at the last three bytes.
    const std::size_t before = header_.size();
    const std::size_t from = before < 3 ? 0 : before - 3;
    const std::size_t room = header_limit - std::min(header_limit, before);
    header_.append(bytes.substr(0, room));
    std::size_t end = header_.starts_with("\r\n") ? 2 : std::string::npos;
    if (end == std::string::npos) {
        const std::size_t at = header_.find(empty_line, from);
        if (at != std::string::npos) end = at + empty_line.size();
    }
    if (end == std::string::npos) {
        header_bytes_ = header_.size();
        header_too_long_ = bytes.size() > room;
        return;
    }
    in_body_ = true;
    header_bytes_ = end;
    header_.resize(end);
    body_sha256_.update(bytes.substr(end - before));
}

IncomingMessage::Fault IncomingMessage::complete() {
    if (header_too_long_) return Fault::header_too_long;
    if (!file_.complete()) return Fault::disk;
    auto fields = parse_header(header_);
    if (!fields) return Fault::not_a_message;
    fields_ = *std::move(fields);
    header_ = {};
    body_digest_ = body_sha256_.finish();
    return Fault::none;
}

} // namespace demail::relay
