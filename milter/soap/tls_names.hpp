// The names of what TLS messages hold as numbers. Thread-safe.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace demail::soap {

/// "TLS 1.2"
[[nodiscard]] std::string version_name(int version);
/// As in RFC 8446 4.2.3, "RSA+SHA256" and the like as OpenSSL writes them; 0x… for others.
[[nodiscard]] std::string algorithm_name(unsigned code);
/// bad_certificate (RFC 8446 6)
[[nodiscard]] std::string alert_name(int alert);

/// What a ClientHello (with its handshake header) offers: "versions …; ciphers …; groups …;
/// signature algorithms …". "" when it cannot be read.
[[nodiscard]] std::string offer_of(SSL *ssl, std::string_view client_hello);

} // namespace demail::soap
