// What the daemon itself knows of RSA: a key's public half, what goes into a signature's block, and
// whether a signature is one. Pure, thread-safe.
#pragma once

#include "base/handle.hpp"
#include "wire/message.hpp"

#include <openssl/evp.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace demail {
struct DigestAlgorithm;
}

namespace demail::broker {

/// A key's public half.
class RsaPublicKey {
  public:
    /// nullptr where the numbers are no RSA key of 1024 to 8192 bits.
    [[nodiscard]] static std::shared_ptr<RsaPublicKey> make(const std::string &modulus,
                                                            const std::string &exponent);
    [[nodiscard]] std::size_t bits() const;
    /// Checked by OpenSSL alone.
    [[nodiscard]] bool verifies(const wire::SignScheme &scheme, const std::string &input,
                                const std::string &signature) const;

  private:
    using Key = Handle<EVP_PKEY, EVP_PKEY_free>;
    using Context = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
    RsaPublicKey(Key key, Context pkcs1);

    Key key_;
    mutable std::mutex mutex_;
    Context pkcs1_; ///< behind mutex_; to set one up takes longer than the check
};

/// nullptr for SHA-1, which no signature may use any more.
[[nodiscard]] const DigestAlgorithm *signature_digest(wire::Hash hash);
/// SHA-1 too: in OAEP it is no weakness, and the default of many programs.
[[nodiscard]] const DigestAlgorithm *encryption_digest(wire::Hash hash);

/// The DigestInfo, or the input as it is. nullopt where the digest is not allowed or `input` has
/// not its length.
[[nodiscard]] std::optional<std::string> pkcs1_text(const wire::Pkcs1Signature &scheme,
                                                    const std::string &input);

/// For the audit log: "rsa-pkcs1 sha256".
[[nodiscard]] std::string mechanism_name(const wire::SignScheme &scheme);
[[nodiscard]] std::string mechanism_name(const wire::DecryptScheme &scheme);

} // namespace demail::broker
