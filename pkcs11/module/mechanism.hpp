// The mechanisms the module offers, and what a caller's CK_MECHANISM means. No raw RSA: whoever may
// ask a card for it can have any block signed. Pure, thread-safe.
#pragma once

#include "wire/message.hpp"

#include <p11-kit/pkcs11.h>

#include <optional>
#include <span>

namespace demail::module {

struct Offered {
    CK_MECHANISM_TYPE type;
    CK_FLAGS flags;
};
[[nodiscard]] std::span<const Offered> offered_mechanisms() noexcept;
/// Throws Refused{CKR_MECHANISM_INVALID}.
[[nodiscard]] CK_MECHANISM_INFO mechanism_info(CK_MECHANISM_TYPE type);

/// How a message is signed: what travels in wire::Sign, and whether the module hashes first.
struct SignMechanism {
    wire::SignScheme scheme;
    std::optional<wire::Hash> hashing;
};

// These throw Refused{CKR_MECHANISM_INVALID} or {CKR_MECHANISM_PARAM_INVALID}.
[[nodiscard]] SignMechanism sign_mechanism(const CK_MECHANISM &mechanism);
[[nodiscard]] wire::DecryptScheme decrypt_mechanism(const CK_MECHANISM &mechanism);
[[nodiscard]] wire::Hash digest_mechanism(const CK_MECHANISM &mechanism);

} // namespace demail::module
