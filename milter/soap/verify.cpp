#include "soap/verify.hpp"

#include "base/ecdsa_value.hpp"
#include "base/handle.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace demail::soap {

namespace {

enum class Kind { rsa, rsa_pss, ecdsa };
struct Algorithm {
    std::string_view name; // after the namespace
    Kind kind;
    const EVP_MD *(*digest)();
};
// http://www.w3.org/2001/04/xmldsig-more# and, for RSA-PSS, http://www.w3.org/2007/05/xmldsig-more#
constexpr std::array algorithms{
    Algorithm{"2001/04/xmldsig-more#rsa-sha256", Kind::rsa, EVP_sha256},
    Algorithm{"2001/04/xmldsig-more#rsa-sha384", Kind::rsa, EVP_sha384},
    Algorithm{"2001/04/xmldsig-more#rsa-sha512", Kind::rsa, EVP_sha512},
    Algorithm{"2007/05/xmldsig-more#sha256-rsa-MGF1", Kind::rsa_pss, EVP_sha256},
    Algorithm{"2007/05/xmldsig-more#sha384-rsa-MGF1", Kind::rsa_pss, EVP_sha384},
    Algorithm{"2007/05/xmldsig-more#sha512-rsa-MGF1", Kind::rsa_pss, EVP_sha512},
    Algorithm{"2001/04/xmldsig-more#ecdsa-sha256", Kind::ecdsa, EVP_sha256},
    Algorithm{"2001/04/xmldsig-more#ecdsa-sha384", Kind::ecdsa, EVP_sha384},
    Algorithm{"2001/04/xmldsig-more#ecdsa-sha512", Kind::ecdsa, EVP_sha512},
};

bool fits(EVP_PKEY *key, Kind kind) {
    const int bits = EVP_PKEY_get_bits(key);
    if (kind == Kind::ecdsa) return EVP_PKEY_is_a(key, "EC") == 1 && bits >= 256;
    const bool pss_only = EVP_PKEY_is_a(key, "RSA-PSS") == 1;
    return bits >= 2048 && (EVP_PKEY_is_a(key, "RSA") == 1 || (kind == Kind::rsa_pss && pss_only));
}

} // namespace

std::optional<std::string> verify(EVP_PKEY *key, std::string_view algorithm,
                                  std::string_view signed_octets, std::string_view value) {
    constexpr std::string_view w3 = "http://www.w3.org/";
    const auto *const found =
        std::find_if(algorithms.begin(), algorithms.end(), [&](const Algorithm &one) {
            return algorithm.starts_with(w3) && algorithm.substr(w3.size()) == one.name;
        });
    if (found == algorithms.end()) return "its signature uses an algorithm that is not allowed";
    if (key == nullptr || !fits(key, found->kind))
        return "its signer's key is too short or does not fit the algorithm";
    std::string bytes(value);
    if (found->kind == Kind::ecdsa) {
        // r and s, each of the curve's size (RFC 9231 2.3.6).
        const auto coordinate = (static_cast<std::size_t>(EVP_PKEY_get_bits(key)) + 7) / 8;
        auto der = value.size() == 2 * coordinate ? der_ecdsa(value) : std::nullopt;
        if (!der) return "its signature does not hold";
        bytes = *std::move(der);
    }
    const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    EVP_PKEY_CTX *parameters = nullptr; // the context's own
    if (!context ||
        EVP_DigestVerifyInit(context.get(), &parameters, found->digest(), nullptr, key) != 1 ||
        (found->kind == Kind::rsa_pss &&
         (EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) != 1 ||
          EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) != 1)))
        throw std::runtime_error("libcrypto cannot check a signature");
    const int good = EVP_DigestVerify(
        context.get(), reinterpret_cast<const unsigned char *>(bytes.data()), bytes.size(),
        reinterpret_cast<const unsigned char *>(signed_octets.data()), signed_octets.size());
    ERR_clear_error();
    if (good != 1) return "its signature does not hold";
    return std::nullopt;
}

} // namespace demail::soap
