// What a raw private-key operation is given: DigestInfo (RFC 8017 9.2) and the encoded messages of
// EMSA-PKCS1-v1_5 and EMSA-PSS. Pure, thread-safe; SHA-256, SHA-384 and SHA-512 only.
#pragma once

#include <p11-kit/pkcs11.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace demail {

/// One of the digests that signatures may use.
struct DigestAlgorithm {
    const char *name; ///< OpenSSL's
    std::size_t size; ///< bytes
    CK_MECHANISM_TYPE mechanism;
    CK_RSA_PKCS_MGF_TYPE mgf;
};

/// By any of OpenSSL's names (SHA256, SHA2-256, its OID); nullptr for any other digest.
[[nodiscard]] const DigestAlgorithm *digest_algorithm(const char *name);

/// DER of DigestInfo { algorithm with NULL parameters, digest }.
[[nodiscard]] std::string digest_info(const DigestAlgorithm &algorithm, std::string_view digest);

/// 00 01 FF… 00 ‖ text, `size` bytes; nullopt when the text is longer than size - 11.
[[nodiscard]] std::optional<std::string> pkcs1_block(std::string_view text, std::size_t size);

/// EMSA-PSS-ENCODE (RFC 8017 9.1.1) of a digest for a modulus of `modulus_bits`, salt from the
/// system's random source; (modulus_bits + 7) / 8 bytes. nullopt when the modulus is too short.
[[nodiscard]] std::optional<std::string> pss_block(const DigestAlgorithm &algorithm,
                                                   const DigestAlgorithm &mgf,
                                                   std::string_view digest, std::size_t salt_size,
                                                   std::size_t modulus_bits);

} // namespace demail
