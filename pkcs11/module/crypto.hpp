// What libcrypto does for the module: digests and checks of signatures. In a library context of our
// own: the host program's may be configured to load this very module, or be torn down before us.
// The host's error queue is left as it was. Thread-safe, but for a Digest.
#pragma once

#include "base/handle.hpp"
#include "wire/message.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace demail::module {

class Crypto {
  public:
    [[nodiscard]] OSSL_LIB_CTX *context();
    /// Throws Refused where libcrypto has none such.
    [[nodiscard]] Handle<EVP_MD, EVP_MD_free> algorithm(wire::Hash hash);

  private:
    std::mutex mutex_;
    Handle<OSSL_LIB_CTX, OSSL_LIB_CTX_free> context_; ///< under mutex_
};

/// Keeps what libcrypto says about its errors away from the host program.
class OwnErrors {
  public:
    OwnErrors();
    ~OwnErrors();
    OwnErrors(const OwnErrors &) = delete;
    OwnErrors &operator=(const OwnErrors &) = delete;
};

/// Bytes of a digest.
[[nodiscard]] std::size_t size_of(wire::Hash hash) noexcept;

/// A digest over a stream.
class Digest {
  public:
    Digest(Crypto &crypto, wire::Hash hash);
    void update(std::string_view bytes);
    [[nodiscard]] std::string finish();
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

  private:
    std::size_t size_;
    Handle<EVP_MD_CTX, EVP_MD_CTX_free> context_;
};

struct RsaPublicKey {
    std::string modulus, exponent; ///< big-endian
};

/// Whether `signature` is one over `input` (see wire::Sign) by the key. Throws Refused where
/// libcrypto fails.
[[nodiscard]] bool verifies(Crypto &crypto, const RsaPublicKey &key, const wire::SignScheme &scheme,
                            std::string_view input, std::string_view signature);

} // namespace demail::module
