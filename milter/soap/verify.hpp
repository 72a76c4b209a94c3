// Signature values of XMLDSig (RFC 9231), checked with a certificate's key; and the certificates
// that may sign. Thread-safe.
#pragma once

#include "base/digest.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <optional>
#include <string>
#include <string_view>

namespace demail::soap {

/// rsa-sha256/384/512, sha256/384/512-rsa-MGF1 from 2048 bits on, ecdsa-sha256/384/512 from 256
/// bits on. A string is the fault.
[[nodiscard]] std::optional<std::string> verify(EVP_PKEY *key, std::string_view algorithm,
                                                std::string_view signed_octets,
                                                std::string_view value);

/// A pinned signer: "sha256:" + 64 hex digits, or a PEM file. Throws std::runtime_error with a
/// sentence.
[[nodiscard]] Digest256 read_signer(const std::string &text);

/// SHA-256 of the DER.
[[nodiscard]] Digest256 certificate_digest(X509 *certificate);

} // namespace demail::soap
