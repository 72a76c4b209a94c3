// The table that C_GetFunctionList hands out.
#pragma once

#include <p11-kit/pkcs11.h>

namespace demail::module {

/// Callers get it without const and must not write to it.
[[nodiscard]] CK_FUNCTION_LIST *function_list() noexcept;

} // namespace demail::module
