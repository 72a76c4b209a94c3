// A reply of SMTP and LMTP (RFC 5321 4.2, RFC 3463). Pure, thread-safe.
#pragma once

#include <string>

namespace demail {

/// "451 4.4.1 Sentence." The text is one line: what happened and what to do. Whoever writes it to
/// the wire makes it ASCII and cuts it.
struct Reply {
    int code = 0;
    std::string enhanced;
    std::string text;
    friend bool operator==(const Reply &, const Reply &) = default;
};

} // namespace demail
