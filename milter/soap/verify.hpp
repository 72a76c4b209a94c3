// Signature values of XMLDSig (RFC 9231), checked with a certificate's key. Thread-safe.
#pragma once

#include <openssl/evp.h>

#include <optional>
#include <string>
#include <string_view>

namespace demail::soap {

/// rsa-sha256/384/512, sha256/384/512-rsa-MGF1 from 2048 bits on, ecdsa-sha256/384/512 from 256
/// bits on. A string is the fault.
[[nodiscard]] std::optional<std::string> verify(EVP_PKEY *key, std::string_view algorithm,
                                                std::string_view signed_octets,
                                                std::string_view value);

} // namespace demail::soap
