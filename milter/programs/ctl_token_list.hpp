// The tokens of a PKCS#11 module and their certificates, read by libp11 without a PIN. For a
// short-lived program alone: libp11 0.4.12 crashes when slots are read a second time, and so is
// asked once.
#pragma once

#include "base/handle.hpp"
#include "crypto/certificate_choice.hpp"
#include "crypto/key_uri.hpp"

#include <openssl/x509.h>

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace demail::ctl {

struct ListedCertificate {
    std::string label, id; ///< id: its bytes
    Handle<X509, X509_free> certificate;
    crypto::Suitability judged; ///< as a certificate to sign in with
};

struct ListedToken {
    std::string label, serial, manufacturer, model;
    std::vector<ListedCertificate> certificates;
    /// Which one a URI gets that names the token and no object.
    std::optional<std::size_t> choice;

    [[nodiscard]] bool fits(const crypto::KeyUri &uri) const;
    /// Which one this URI gets here, or none.
    [[nodiscard]] std::optional<std::size_t> named_by(const crypto::KeyUri &uri) const;
};

/// A string is the fault, one sentence.
[[nodiscard]] std::variant<std::vector<ListedToken>, std::string>
list_tokens(const std::string &module_path);

} // namespace demail::ctl
