// ASCII letters and blanks, whatever the locale says. Pure, thread-safe.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace demail::ascii {

[[nodiscard]] constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] constexpr bool letter_or_digit(char c) noexcept {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9');
}

[[nodiscard]] inline std::string lower(std::string_view text) {
    std::string out(text);
    for (char &c : out)
        c = lower(c);
    return out;
}

[[nodiscard]] inline bool equal(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

/// No octet of 8 bits.
[[nodiscard]] inline bool only(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

[[nodiscard]] constexpr bool blank(char c) noexcept {
    return c == ' ' || c == '\t';
}
[[nodiscard]] constexpr bool line_break(char c) noexcept {
    return c == '\r' || c == '\n';
}

/// Without blanks and line breaks at both ends.
[[nodiscard]] constexpr std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && (blank(text.front()) || line_break(text.front())))
        text.remove_prefix(1);
    while (!text.empty() && (blank(text.back()) || line_break(text.back())))
        text.remove_suffix(1);
    return text;
}

} // namespace demail::ascii
