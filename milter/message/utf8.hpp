// UTF-8 (RFC 3629). Pure, thread-safe.
#pragma once

#include <string_view>

namespace demail {

/// Well-formed UTF-8 without control characters (C0, DEL, C1): no overlong forms, no surrogates.
[[nodiscard]] constexpr bool is_printable_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
        const unsigned char first = at(0);
        if (first < 0x20 || first == 0x7f) return false;
        if (first < 0x80) {
            text.remove_prefix(1);
            continue;
        }
        const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
        if (first < 0xc2 || first > 0xf4 || text.size() < length) return false;
        for (std::size_t i = 1; i < length; ++i)
            if ((at(i) & 0xc0U) != 0x80) return false;
        const unsigned char second = at(1);
        if ((first == 0xc2 && second < 0xa0) || (first == 0xe0 && second < 0xa0) ||
            (first == 0xed && second > 0x9f) || (first == 0xf0 && second < 0x90) ||
            (first == 0xf4 && second > 0x8f))
            return false;
        text.remove_prefix(length);
    }
    return true;
}

} // namespace demail
