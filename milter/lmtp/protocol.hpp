// The words of LMTP (RFC 2033 over RFC 5321 4.1): command lines to verbs, paths and parameters, and
// replies to lines. Pure, thread-safe.
#pragma once

#include "message/reply.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace demail::lmtp {

enum class Verb { lhlo, helo, ehlo, mail, rcpt, data, rset, noop, quit, vrfy, xforward, unknown };

struct Command {
    Verb verb = Verb::unknown;
    std::string_view argument; ///< without blanks around it; a view into the line
};

/// `line` without its CRLF.
[[nodiscard]] Command parse_command(std::string_view line);

/// The argument of MAIL ("FROM:<a@b> SIZE=3") and RCPT ("TO:<a@b>").
struct PathArgument {
    std::string path; ///< between the angle brackets, as it stands
    /// Names in capitals; the value is absent where there is no "=".
    std::vector<std::pair<std::string, std::optional<std::string>>> parameters;
};
/// `keyword` is "FROM" or "TO". nullopt: a syntax error, a control character, a parameter named
/// twice.
[[nodiscard]] std::optional<PathArgument> parse_path(std::string_view argument,
                                                     std::string_view keyword);

/// XFORWARD's attributes (Postfix, XFORWARD_README): names in capitals, values with xtext decoded;
/// "" for [UNAVAILABLE] and [TEMPUNAVAIL]. nullopt: a syntax error or an unknown name.
[[nodiscard]] std::optional<std::vector<std::pair<std::string, std::string>>>
parse_xforward(std::string_view argument);

/// ASCII letters in capitals.
[[nodiscard]] std::string capitals(std::string_view text);
/// xtext (RFC 3461 4): "+" and two hex digits in capitals for an octet.
[[nodiscard]] std::optional<std::string> decode_xtext(std::string_view text);

/// "451 4.4.1 Sentence.\r\n": ASCII, at most 512 octets (RFC 5321 4.5.3.1.5), other octets as \xNN.
/// A reply whose code is none becomes 451 4.3.0.
[[nodiscard]] std::string reply_line(const Reply &reply);

} // namespace demail::lmtp
