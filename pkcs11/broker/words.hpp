// Lines of name="value" as log::line writes them, read back: latches and the audit log. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace demail::broker {

using Words = std::map<std::string, std::string, std::less<>>;

/// One line, with or without its end; values as log::escaped writes them. nullopt where it is none,
/// or names a word twice.
[[nodiscard]] std::optional<Words> parse_words(std::string_view line);
[[nodiscard]] std::optional<std::string> word(const Words &words, std::string_view name);
/// A decimal number of at most 18 digits, perhaps negative.
[[nodiscard]] std::optional<long long> number(const Words &words, std::string_view name);

} // namespace demail::broker
