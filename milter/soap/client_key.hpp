// The client certificate in an SSL_CTX, its key on a token.
#pragma once

#include "crypto/tls_limits.hpp"
#include "crypto/token_key.hpp"

#include <openssl/ssl.h>

#include <optional>
#include <string>

namespace demail::soap {

/// Sets the limits, and gives the context certificate, chain and key, which must outlive it; limits
/// it further to what the key can sign. A string is the fault, a sentence.
[[nodiscard]] std::optional<std::string>
use_client_key(SSL_CTX *context, const crypto::TokenKey &key, const crypto::TlsLimits &limits);

/// Whether the key is an RSA key for which TLS 1.2 with RSA+SHA256 is all that is left.
[[nodiscard]] bool pkcs1_alone(const crypto::TokenKey &key);

} // namespace demail::soap
