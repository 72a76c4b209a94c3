#include "soap/client_key.hpp"

#include <algorithm>
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

bool names_rsa_sha256(const std::vector<std::string> &algorithms) {
    return algorithms.empty() ||
           std::any_of(algorithms.begin(), algorithms.end(), [](const std::string &one) {
               return one == "RSA+SHA256" || one == "rsa_pkcs1_sha256";
           });
}

// TLS 1.2 alone; false where the limits ask for 1.3.
bool only_tls_1_2(SSL_CTX *context, const crypto::TlsLimits &limits) {
    return limits.minimum <= TLS1_2_VERSION &&
           SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION) == 1;
}

} // namespace

bool pkcs1_alone(const crypto::TokenKey &key) {
    return EVP_PKEY_is_a(key.pkey(), "RSA") == 1 && !key.can_pss();
}

std::optional<std::string> use_client_key(SSL_CTX *context, const crypto::TokenKey &key,
                                          const crypto::TlsLimits &limits) {
    if (!crypto::set_limits(context, limits)) return "OpenSSL does not take the limits of TLS.";
    constexpr const char *not_taken =
        "OpenSSL does not take the token's certificate and key for TLS.";
    if (SSL_CTX_use_certificate(context, key.certificate()) != 1) return not_taken;
    SSL_CTX_clear_chain_certs(context);
    for (const auto &certificate : key.chain())
        if (SSL_CTX_add1_chain_cert(context, certificate.get()) != 1) return not_taken;
    if (brainpool(key.pkey())) {
        // RFC 8734 gives TLS 1.3 brainpool signatures, OpenSSL 3.0 has them not; and a server may
        // ask for a certificate on one of the groups that we name.
        if (!only_tls_1_2(context, limits))
            return "A key on a brainpool curve works with TLS 1.2, and the least version is 1.3.";
        if (limits.groups.empty() &&
            SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384:P-521:brainpoolP256r1:"
                                              "brainpoolP384r1:brainpoolP512r1") != 1)
            return not_taken;
    }
    if (pkcs1_alone(key)) {
        if (!only_tls_1_2(context, limits))
            return "The token's RSA key cannot sign by RSA-PSS, which TLS 1.3 needs, and the least "
                   "version is 1.3.";
        if (!names_rsa_sha256(limits.signature_algorithms))
            return "The token's RSA key signs by RSA+SHA256 alone, which signature_algorithms "
                   "leaves out.";
        // How we sign; the provider may go on signing by all that the ClientHello offers.
        if (SSL_CTX_set1_client_sigalgs_list(context, "RSA+SHA256") != 1) return not_taken;
    }
    if (SSL_CTX_use_PrivateKey(context, key.pkey()) != 1) return not_taken;
    return std::nullopt;
}

} // namespace demail::soap
