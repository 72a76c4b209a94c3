// CK_RV values: their names, which of them a fresh session cures, and what they mean to a person.
// Pure, thread-safe.
#pragma once

#include "crypto/token_key.hpp"

#include <p11-kit/pkcs11.h>

#include <string>

namespace demail::crypto {

/// A PKCS#11 call that failed; only inside the room. Leaves it as TokenUnavailable.
struct CkError {
    CK_RV result;
    const char *function;
};

inline void expect_ok(CK_RV result, const char *function) {
    if (result != CKR_OK) throw CkError{result, function};
}

/// CKR_… or a hexadecimal number.
[[nodiscard]] std::string ck_name(CK_RV result);
/// The card was pulled, the session or its login is gone, a handle is stale: open anew and try
/// once.
[[nodiscard]] bool cured_by_reopening(CK_RV result) noexcept;
/// The token has said that this PIN is wrong or that no PIN will do any more.
[[nodiscard]] bool refuses_pin(CK_RV result) noexcept;
[[nodiscard]] TokenUnavailable explain(const CkError &error, const std::string &token_label);

} // namespace demail::crypto
