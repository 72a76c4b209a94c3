#include "soap/client_key.hpp"

#include <array>
#include <string_view>

namespace demail::soap {

namespace {

bool brainpool(EVP_PKEY *key) {
    std::array<char, 80> group{};
    std::size_t length = 0;
    return EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) == 1 &&
           std::string_view(group.data(), length).starts_with("brainpool");
}

} // namespace

bool use_client_key(SSL_CTX *context, const crypto::TokenKey &key) {
    if (SSL_CTX_use_certificate(context, key.certificate()) != 1) return false;
    SSL_CTX_clear_chain_certs(context);
    for (const auto &certificate : key.chain())
        if (SSL_CTX_add1_chain_cert(context, certificate.get()) != 1) return false;
    // RFC 8734 gives TLS 1.3 brainpool signatures, OpenSSL 3.0 has them not; and a server may ask
    // for a certificate on one of the groups that we name.
    if (brainpool(key.pkey()) &&
        (SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION) != 1 ||
         SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384:P-521:brainpoolP256r1:"
                                           "brainpoolP384r1:brainpoolP512r1") != 1))
        return false;
    return SSL_CTX_use_PrivateKey(context, key.pkey()) == 1;
}

bool refuses_certificate(int alert) noexcept {
    switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_CERTIFICATE_REQUIRED:
        return true;
    default:
        return false;
    }
}

} // namespace demail::soap
