// Keys and certificates made in software, for tests.
#pragma once

#include "base/handle.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <string>

namespace demail::test {

using Key = Handle<EVP_PKEY, EVP_PKEY_free>;
using Certificate = Handle<X509, X509_free>;

/// "RSA" (2048 bits), "P-256", "P-384", "brainpoolP256r1", …
[[nodiscard]] Key make_key(const std::string &kind, unsigned rsa_bits = 2048);

struct CertificateWish {
    std::string common_name = "firm";
    std::string key_usage = "critical,digitalSignature"; ///< as in openssl.cnf; "": none
    std::string extended_key_usage = "clientAuth";       ///< "": none
    bool ca = false;
    long from_days = -1, until_days = 365; ///< from now
};

/// Signed by `issuer_key` in the name of `issuer`; nullptr: self-signed.
[[nodiscard]] Certificate make_certificate(EVP_PKEY *key, const CertificateWish &wish,
                                           X509 *issuer = nullptr, EVP_PKEY *issuer_key = nullptr);

} // namespace demail::test
