// The client certificate in an SSL_CTX, its key on a token.
#pragma once

#include "crypto/token_key.hpp"

#include <openssl/ssl.h>

namespace demail::soap {

/// Gives the context certificate, chain and key, which must outlive it. false when OpenSSL takes
/// one of them not.
[[nodiscard]] bool use_client_key(SSL_CTX *context, const crypto::TokenKey &key);

/// Whether a TLS alert (RFC 8446 6.2) says that the peer does not take our certificate.
[[nodiscard]] bool refuses_certificate(int alert) noexcept;

} // namespace demail::soap
