// The built-in OpenSSL 3 provider "demail-pkcs11" in the default library context (libcurl uses no
// other): key management for RSA and EC (provider-keymgmt(7)). Thread-safe.
#pragma once

#include "base/handle.hpp"
#include "crypto/signing_key.hpp"
#include "crypto/token_key.hpp"

#include <openssl/core.h>
#include <openssl/evp.h>

#include <memory>
#include <optional>

namespace demail::crypto {

constexpr const char *provider_name = "demail-pkcs11";

/// A key as the provider holds it: the public half in the default provider, which answers every
/// question about the key, and the private half on the token.
struct ProviderKey {
    Handle<EVP_PKEY, EVP_PKEY_free> public_half;
    std::shared_ptr<SigningKey> private_half; ///< none in a key that OpenSSL made for a comparison
};

/// An EVP_PKEY that signs by `private_half` and keeps it alive. Throws std::runtime_error when
/// OpenSSL refuses, std::invalid_argument for a key that is neither RSA nor EC.
[[nodiscard]] Handle<EVP_PKEY, EVP_PKEY_free> make_pkey(EVP_PKEY *public_half,
                                                        std::shared_ptr<SigningKey> private_half);

/// What the last signature of this thread failed with; cleared by asking.
[[nodiscard]] std::optional<TokenUnavailable> take_thread_fault();
void set_thread_fault(std::optional<TokenUnavailable> fault);

/// The signature algorithms (openssl_signature.cpp).
extern const OSSL_ALGORITHM signature_algorithms[];

} // namespace demail::crypto
