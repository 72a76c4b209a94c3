// Text as canonical XML writes it. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace demail::soap {

/// Character data as Canonical XML 1.0 (2.3) writes it: & < > and CR escaped, nothing else.
/// nullopt where XML 1.0 cannot carry the text: not UTF-8, or a character outside its Char
/// production (2.2), such as most control characters.
[[nodiscard]] std::optional<std::string> canonical_text(std::string_view text);

} // namespace demail::soap
