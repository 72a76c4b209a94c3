// The reference service over SOAP 1.2 and HTTPS (contracts.md, "The reference service").
#pragma once

#include "crypto/tls_limits.hpp"
#include "crypto/token_key.hpp"
#include "soap/content_digest.hpp"
#include "soap/provider.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace demail::soap {

struct Endpoint {
    std::string url;                       ///< https only
    std::string ca_file;                   ///< PEM; nothing else is trusted
    std::vector<std::string> reply_signer; ///< "sha256:" + 64 hex digits of the DER, or PEM files
    std::string schema_directory;          ///< holds provider.xsd
    std::chrono::seconds connect_timeout{30};
    std::chrono::seconds answer_timeout{300};
    std::uint64_t reply_bytes = 1U << 20;    ///< cap on a reply without content
    std::uint64_t content_bytes = 64U << 20; ///< cap on a reply's content
    bool rsa_pss = false; ///< sign with RSA-PSS instead of rsa-sha256; an EC key ignores it
    std::string name{};   ///< what the log calls the provider; "": its URL
    crypto::TlsLimits tls{};
    ContentDigest digest = ContentDigest::infoset;
};

/// Throws std::runtime_error with a sentence that names the file when the CA, a signer or the
/// schema cannot be read.
[[nodiscard]] std::unique_ptr<Provider>
connect_reference(const Endpoint &endpoint, std::shared_ptr<crypto::TokenKey> auth_key,
                  std::shared_ptr<crypto::TokenKey> sign_key);

} // namespace demail::soap
