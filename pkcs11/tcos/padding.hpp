// Taking the padding off what a card deciphered, in time that does not depend on it (RFC 8017 7.2.2
// and 7.1.2). Signing's padding is in base/digest_info.hpp. Pure, thread-safe.
#pragma once

#include "base/digest_info.hpp"
#include "base/secret.hpp"
#include "tcos/bytes.hpp"

#include <optional>

namespace demail::tcos {

/// PKCS#1 v1.5 with implicit rejection, as OpenSSL 3.2 does it
/// (draft-irtf-cfrg-rsa-guidance 7.2): a block whose padding is wrong gives bytes that look like a
/// message, always the same for the same cryptogram, so that nobody learns from the answer
/// (Bleichenbacher). `rejection_key`: 32 secret random bytes, the caller's for the key's life in
/// memory.
[[nodiscard]] Secret unpad_pkcs1(const Secret &block, View cryptogram, View rejection_key);

/// OAEP (RFC 8017 7.1.2 step 3). nullopt says only that something was wrong.
[[nodiscard]] std::optional<Secret> unpad_oaep(const Secret &block, const DigestAlgorithm &digest,
                                               const DigestAlgorithm &mgf, View label);

} // namespace demail::tcos
