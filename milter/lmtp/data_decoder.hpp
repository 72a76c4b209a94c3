// What follows DATA (RFC 5321 4.5.2): dots unstuffed, the end found at CRLF.CRLF and nowhere else.
// `\n.\r\n`, `\r.\r\n`, `\n.\n` and the like are content: taken for an end they would let one
// message carry a second one in ("SMTP smuggling"). Pure but for its own state.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace demail::lmtp {

class DataDecoder {
  public:
    using Sink = std::function<void(std::string_view)>;

    /// Passes the content on in long spans of `input` itself, nothing copied, and returns how many
    /// octets belong to the data: all of them until ended(). Any chunking gives the same content.
    std::size_t feed(std::string_view input, const Sink &sink);

    [[nodiscard]] bool ended() const noexcept { return state_ == State::ended; }
    /// A NUL, a bare CR or a bare LF was in the content so far.
    [[nodiscard]] bool bad_bytes() const noexcept { return bad_; }

  private:
    enum class State {
        line_start,
        dot,    ///< a "." at the start of a line; it is not passed on
        dot_cr, ///< the CR after it; withheld until the next octet tells what it is
        text,
        cr, ///< after a CR within a line
        ended
    };
    void pass(std::string_view span, const Sink &sink);
    [[nodiscard]] std::size_t scan_text(std::string_view input, std::size_t at);

    State state_ = State::line_start;
    bool bad_ = false;
};

} // namespace demail::lmtp
