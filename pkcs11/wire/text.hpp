// Text that may be shown: UTF-8 (RFC 3629) without control characters. Pure, thread-safe.
// Room-private.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace demail::wire {

/// `line_ends`: "\n" is welcome.
[[nodiscard]] bool is_text(std::string_view bytes, bool line_ends = false) noexcept;
/// What is not text becomes question marks.
[[nodiscard]] std::string as_text(std::string_view bytes, bool line_ends = false);
/// At most `limit` bytes of it, not ending within a character.
void cut_text(std::string &text, std::size_t limit);

} // namespace demail::wire
