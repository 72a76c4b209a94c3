// Which certificate of a token is the one to sign in with, when its URI does not say. Pure,
// thread-safe.
#pragma once

#include <openssl/x509.h>

#include <cstddef>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

namespace demail::crypto {

enum class HasKey { no, yes, unknown }; ///< unknown: private keys are hidden without a PIN

struct Suitability {
    int rank = 0;          ///< 0: not usable; a higher one is the better choice
    std::string reason;    ///< a sentence without its full stop
    std::string uses;      ///< key usage and extended key usage, for a table
    std::time_t until = 0; ///< end of validity; among equals the later one is chosen
    bool in_time = false;  ///< valid at the time asked about
};

/// Judges by RFC 5280 4.2.1.3 and 4.2.1.12: clientAuth is best, smartcardLogon
/// (1.3.6.1.4.1.311.20.2.2) next, then digitalSignature without an extended use. A CA certificate,
/// one that is not valid at `now`, one for other uses or without a key is not usable.
[[nodiscard]] Suitability judge(X509 *certificate, HasKey key, std::time_t now);

/// The index of the best; nullopt when none is usable.
[[nodiscard]] std::optional<std::size_t> choose(const std::vector<Suitability> &candidates);

/// Subject or issuer on one line (RFC 2253), control characters escaped.
[[nodiscard]] std::string name_text(const X509_NAME *name);

} // namespace demail::crypto
