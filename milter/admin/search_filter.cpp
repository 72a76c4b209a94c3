#include "admin/search_filter.hpp"

namespace demail {

std::string escaped_value(std::string_view value) {
    constexpr std::string_view special = "()*\\";
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (const char c : value) {
        const auto octet = static_cast<unsigned char>(c);
        if (c > ' ' && c <= '~' && special.find(c) == std::string_view::npos) {
            text += c;
            continue;
        }
        text += '\\';
        text += digits[octet >> 4U];
        text += digits[octet & 15U];
    }
    return text;
}

std::variant<std::string, std::string_view> search_filter(std::string_view text,
                                                          std::string_view account) {
    constexpr std::string_view no_filter = "must be a search filter in parentheses (RFC 4515), "
                                           "with %a for the account's name and %% for %.";
    std::string filter;
    int depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '%') {
            const char what = i + 1 < text.size() ? text[++i] : '\0';
            if (what != 'a' && what != '%') return no_filter;
            filter += what == 'a' ? escaped_value(account) : "%";
            continue;
        }
        depth += c == '(' ? 1 : c == ')' ? -1 : 0;
        // A second filter behind the first would be read by nobody.
        if (depth < 0 || (depth == 0 && i + 1 < text.size()) || c == '\0') return no_filter;
        filter += c;
    }
    if (depth != 0 || filter.empty()) return no_filter;
    return filter;
}

} // namespace demail
