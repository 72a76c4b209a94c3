#include "lmtp/data_decoder.hpp"

#include <cstring>

namespace demail::lmtp {

std::size_t DataDecoder::feed(std::string_view input, const Sink &sink) {
    std::size_t at = 0;    // the next octet to look at
    std::size_t start = 0; // the first octet not passed on yet
    while (at < input.size()) {
        const char c = input[at];
        switch (state_) {
        case State::line_start:
            state_ = c == '.' ? State::dot : State::text;
            if (c != '.') break;
            pass(input.substr(start, at - start), sink);
            start = ++at;
            break;
        case State::dot:
            state_ = c == '\r' ? State::dot_cr : State::text;
            if (c == '\r') start = ++at;
            break;
        case State::dot_cr:
            if (c == '\n') {
                state_ = State::ended;
                return at + 1;
            }
            bad_ = true;
            sink("\r");
            state_ = State::text;
            break;
        case State::text:
            at = scan_text(input, at);
            break;
        case State::cr:
            if (c == '\n') {
                ++at;
                state_ = State::line_start;
            } else {
                bad_ = true;
                state_ = State::text;
            }
            break;
        case State::ended:
            return 0;
        }
    }
    pass(input.substr(start), sink);
    return input.size();
}

/// To the octet after the next CR, or to the end.
std::size_t DataDecoder::scan_text(std::string_view input, std::size_t at) {
    const char *from = input.data() + at;
    const auto *cr = static_cast<const char *>(std::memchr(from, '\r', input.size() - at));
    const std::size_t length =
        cr != nullptr ? static_cast<std::size_t>(cr - from) : input.size() - at;
    if (!bad_ && std::memchr(from, '\n', length) != nullptr) bad_ = true;
    if (cr == nullptr) return input.size();
    state_ = State::cr;
    return at + length + 1;
}

void DataDecoder::pass(std::string_view span, const Sink &sink) {
    if (span.empty()) return;
    if (!bad_ && std::memchr(span.data(), '\0', span.size()) != nullptr) bad_ = true;
    sink(span);
}

} // namespace demail::lmtp
