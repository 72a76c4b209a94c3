// How far one word is from another: to guess what was meant. Pure, thread-safe.
#pragma once

#include <cstddef>
#include <string_view>

namespace demail {

/// Levenshtein's distance of the first 64 octets of each.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

} // namespace demail
