// How far TLS with one provider may be bent: what [provider.tls] of the configuration says, in
// OpenSSL's names and checked by OpenSSL. Thread-safe.
#pragma once

#include <openssl/ssl.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace demail::crypto {

struct TlsLimits {
    int minimum = TLS1_2_VERSION;
    int maximum = 0;     ///< 0: the latest that OpenSSL has
    std::string ciphers; ///< of TLS 1.2, a list as in openssl-ciphers(1); "": OpenSSL's default
    std::string ciphersuites; ///< of TLS 1.3, with colons; "": OpenSSL's default
    std::vector<std::string> groups, signature_algorithms; ///< empty: OpenSSL's default
};

/// "1.2" or "1.3".
[[nodiscard]] std::optional<int> tls_version(std::string_view text);

// Each gives nullopt, or what is wrong with the value: the end of a sentence.
[[nodiscard]] std::optional<std::string> fault_of_ciphers(const std::string &list);
[[nodiscard]] std::optional<std::string> fault_of_ciphersuites(const std::string &list);
[[nodiscard]] std::optional<std::string> fault_of_group(const std::string &name);
[[nodiscard]] std::optional<std::string> fault_of_signature_algorithm(const std::string &name);

/// false when OpenSSL takes one of the limits not.
[[nodiscard]] bool set_limits(SSL_CTX *context, const TlsLimits &limits);

} // namespace demail::crypto
