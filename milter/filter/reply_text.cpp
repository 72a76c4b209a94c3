#include "filter/reply_text.hpp"

namespace demail::filter {

std::string reply_text(std::string_view sentence) {
    constexpr std::size_t longest = 450; // with code and CRLF below RFC 5321 4.5.3.1.5's 512
    std::string out;
    for (const char c : sentence) {
        if (out.size() + 2 > longest) break;
        if (c == '%')
            out += "%%"; // as smfi_setreply(3) wants it
        else
            out += c >= ' ' && c <= '~' ? c : '?';
    }
    return out;
}

} // namespace demail::filter
