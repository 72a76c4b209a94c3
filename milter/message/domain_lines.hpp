// Domains, one a line: those that the administrator has watched, and those that DNS names as
// De-Mail (demail.toml(5), [hints]). Pure, thread-safe.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <variant>

namespace demail {

using DomainNames = std::set<std::string, std::less<>>; ///< in normal form

/// Of a file.
constexpr std::size_t most_domain_lines = 1000, longest_domain_lines = std::size_t{1} << 20;

/// Blank lines and lines that begin with "#" are left out. The whole, or a sentence that names the
/// line.
[[nodiscard]] std::variant<DomainNames, std::string> parse_domain_lines(std::string_view text);

/// What parse_domain_lines reads.
[[nodiscard]] std::string domain_lines(const DomainNames &domains);

} // namespace demail
