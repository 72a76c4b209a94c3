#include "base/word.hpp"

#include "base/digest.hpp"

namespace demail {

std::string as_word(std::string_view text) {
    std::string word;
    for (const char c : text) {
        if (c > ' ' && c <= '~' && c != '%')
            word += c;
        else
            word.append("%").append(hex({&c, 1}));
    }
    return word;
}

std::optional<std::string> text_of_word(std::string_view word) {
    std::string text;
    for (; !word.empty(); word.remove_prefix(1)) {
        if (word.front() != '%') {
            text += word.front();
            continue;
        }
        const auto octet = from_hex(word.substr(1, 2));
        if (!octet || octet->size() != 1) return std::nullopt;
        text += *octet;
        word.remove_prefix(2);
    }
    return text;
}

} // namespace demail
