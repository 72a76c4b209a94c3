// What the OpenSSL provider asks of a private key: a signature over a digest. The narrow place
// between OpenSSL and PKCS#11.
#pragma once

#include "base/digest_info.hpp"

#include <cstddef>
#include <string>

namespace demail::crypto {

struct SignatureForm {
    enum class Padding { pkcs1, pss, ecdsa };
    Padding padding = Padding::pkcs1;
    /// nullptr with pkcs1: the input is padded as it is, without DigestInfo; with ecdsa: any.
    const DigestAlgorithm *digest = nullptr;
    const DigestAlgorithm *mgf = nullptr; ///< pss; nullptr: as digest
    std::size_t salt_size = 0;            ///< pss, bytes
};

class SigningKey {
  public:
    virtual ~SigningKey() = default;
    /// RSA: the block as long as the modulus. EC: r ‖ s. Throws TokenUnavailable. Thread-safe.
    virtual std::string sign(const SignatureForm &form, std::string digest) = 0;
};

} // namespace demail::crypto
