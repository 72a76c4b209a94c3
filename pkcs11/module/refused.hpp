// How a PKCS#11 call ends early. Thrown inside the room only; enter() makes it the return value.
#pragma once

#include <p11-kit/pkcs11.h>

namespace demail::module {

/// CK_UNAVAILABLE_INFORMATION, without its cast.
inline constexpr CK_ULONG unavailable = ~CK_ULONG{0};

struct Refused {
    CK_RV rv;
};

inline void require(bool condition, CK_RV otherwise = CKR_ARGUMENTS_BAD) {
    if (!condition) throw Refused{otherwise};
}

} // namespace demail::module
