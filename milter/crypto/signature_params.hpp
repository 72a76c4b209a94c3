// The parameters of a signature as OpenSSL sets and asks for them (provider-signature(7),
// EVP_SIGNATURE-RSA(7), EVP_SIGNATURE-ECDSA(7)).
#pragma once

#include "crypto/signing_key.hpp"

#include <openssl/core.h>

namespace demail::crypto {

struct SignatureParams {
    bool rsa = false;
    bool pss = false;
    const DigestAlgorithm *digest = nullptr;
    const DigestAlgorithm *mgf = nullptr;
    /// Bytes, or RSA_PSS_SALTLEN_*. As long as the digest by default: RFC 8446 and RFC 9231 want
    /// it so.
    int salt_length = -1;
};

/// Both are false for a value that cannot be had; unknown names are passed over.
[[nodiscard]] bool set_signature_params(SignatureParams &to, const OSSL_PARAM params[]) noexcept;
[[nodiscard]] bool get_signature_params(const SignatureParams &from, OSSL_PARAM params[]) noexcept;

/// Throws std::runtime_error for a PSS signature without digest or with a salt that does not fit.
[[nodiscard]] SignatureForm form_of(const SignatureParams &params, std::size_t key_bits);

/// What may be set and got.
extern const OSSL_PARAM rsa_signature_params[];
extern const OSSL_PARAM ec_signature_params[];

} // namespace demail::crypto
