// Text as one word of visible ASCII, for files and requests that are words on a line. Pure,
// thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace demail {

/// All but visible ASCII, and "%", as %XX.
[[nodiscard]] std::string as_word(std::string_view text);
/// nullopt for a "%" without two hex digits.
[[nodiscard]] std::optional<std::string> text_of_word(std::string_view word);

} // namespace demail
