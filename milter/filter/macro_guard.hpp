// libmilter up to 8.18.1 reads past the end of a list of macros in which the last name has no
// value, and dies of it or believes what lies there. Its reading of packets goes through here: a
// peer that sends such a list is hung up on.
#pragma once

#include <string_view>

namespace demail::filter {

/// A packet of macros after its command: the command that they belong to, then names and values in
/// turn, each with its NUL. Pure.
[[nodiscard]] bool has_a_value_for_each_name(std::string_view macros) noexcept;

/// Call before smfi_main(). Throws std::runtime_error where libmilter has no mi_rd_cmd to stand
/// before; it is exported by every shared libmilter so far.
void guard_macros();

} // namespace demail::filter
