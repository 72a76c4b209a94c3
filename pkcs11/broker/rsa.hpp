// What the daemon itself knows of RSA: a key's public half, what goes into a signature's block, and
// whether a signature is one. Pure, thread-safe.
#pragma once

#include "wire/message.hpp"

#include <openssl/evp.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace demail {
struct DigestAlgorithm;
}

namespace demail::broker {

/// nullptr where the numbers are no RSA key of 1024 to 8192 bits.
[[nodiscard]] std::shared_ptr<EVP_PKEY> rsa_public_key(const std::string &modulus,
                                                       const std::string &exponent);
[[nodiscard]] std::size_t modulus_bits(const EVP_PKEY &key);

/// nullptr for SHA-1, which no signature may use any more.
[[nodiscard]] const DigestAlgorithm *signature_digest(wire::Hash hash);
/// SHA-1 too: in OAEP it is no weakness, and the default of many programs.
[[nodiscard]] const DigestAlgorithm *encryption_digest(wire::Hash hash);

/// The DigestInfo, or the input as it is. nullopt where the digest is not allowed or `input` has
/// not its length.
[[nodiscard]] std::optional<std::string> pkcs1_text(const wire::Pkcs1Signature &scheme,
                                                    const std::string &input);

/// Checked with the public key, by OpenSSL alone.
[[nodiscard]] bool verifies(const EVP_PKEY &key, const wire::SignScheme &scheme,
                            const std::string &input, const std::string &signature);

/// For the audit log: "rsa-pkcs1 sha256".
[[nodiscard]] std::string mechanism_name(const wire::SignScheme &scheme);
[[nodiscard]] std::string mechanism_name(const wire::DecryptScheme &scheme);

} // namespace demail::broker
