// Search filters (RFC 4515). Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace demail {

/// A value as it stands in a filter: NUL, ( ) * \ and all that is not visible ASCII as \xx.
[[nodiscard]] std::string escaped_value(std::string_view value);

/// The filter of the configuration with %a for the account's name, escaped, and %% for %. A
/// sentence where it is no filter: another letter behind %, or parentheses that do not fit.
[[nodiscard]] std::variant<std::string, std::string_view> search_filter(std::string_view text,
                                                                        std::string_view account);

} // namespace demail
