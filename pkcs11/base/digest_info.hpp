// What a raw private-key operation is given: DigestInfo (RFC 8017 9.2) and the encoded messages of
// EMSA-PKCS1-v1_5 and EMSA-PSS. Pure, thread-safe; signatures use SHA-256, SHA-384 and SHA-512
// only.
#pragma once

#include <p11-kit/pkcs11.h>

#include <cstddef>
#include <optional>
#include <span>
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

/// The same by PKCS#11's names, for OAEP, which may use SHA-1 too (it needs no collision resistance
/// there, and is the default of RFC 8017 A.2.1).
[[nodiscard]] const DigestAlgorithm *oaep_digest(CK_MECHANISM_TYPE mechanism) noexcept;
[[nodiscard]] const DigestAlgorithm *oaep_mask(CK_RSA_PKCS_MGF_TYPE mgf) noexcept;

[[nodiscard]] std::string digest_of(const DigestAlgorithm &algorithm, std::string_view bytes);

/// DER of DigestInfo { algorithm with NULL parameters, digest }.
[[nodiscard]] std::string digest_info(const DigestAlgorithm &algorithm, std::string_view digest);

/// XORs MGF1 of the seed (RFC 8017 B.2.1) into `to`. Leaves no copy of either anywhere.
void mgf1_xor(const DigestAlgorithm &algorithm, std::string_view seed, std::span<char> to);

/// 00 01 FF… 00 ‖ text, `size` bytes; nullopt when the text is longer than size - 11.
[[nodiscard]] std::optional<std::string> pkcs1_block(std::string_view text, std::size_t size);

/// EMSA-PSS-ENCODE (RFC 8017 9.1.1) of a digest for a modulus of `modulus_bits`, salt from the
/// system's random source; (modulus_bits + 7) / 8 bytes. nullopt when the modulus is too short.
[[nodiscard]] std::optional<std::string> pss_block(const DigestAlgorithm &algorithm,
                                                   const DigestAlgorithm &mgf,
                                                   std::string_view digest, std::size_t salt_size,
                                                   std::size_t modulus_bits);

} // namespace demail
