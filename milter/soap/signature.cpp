#include "soap/signature.hpp"

#include "base/digest.hpp"
#include "base/ecdsa_value.hpp"
#include "soap/names.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include <optional>

namespace demail::soap {

namespace {

struct Algorithm {
    std::string_view uri;
    const EVP_MD *digest;
    bool pss = false;
    std::size_t coordinate = 0; // bytes of r and of s; 0 for RSA
};

std::optional<Algorithm> algorithm_of(EVP_PKEY *key, bool rsa_pss) {
    if (EVP_PKEY_is_a(key, "RSA-PSS") == 1 || (rsa_pss && EVP_PKEY_is_a(key, "RSA") == 1))
        return Algorithm{"http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1", EVP_sha256(),
                         true};
    if (EVP_PKEY_is_a(key, "RSA") == 1)
        return Algorithm{"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", EVP_sha256()};
    if (EVP_PKEY_is_a(key, "EC") != 1) return std::nullopt;
    const int bits = EVP_PKEY_get_bits(key);
    const std::size_t coordinate = (static_cast<std::size_t>(bits) + 7) / 8;
    if (bits <= 256)
        return Algorithm{"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", EVP_sha256(), false,
                         coordinate};
    if (bits <= 384)
        return Algorithm{"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384", EVP_sha384(), false,
                         coordinate};
    return Algorithm{"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512", EVP_sha512(), false,
                     coordinate};
}

std::optional<std::string> sign(EVP_PKEY *key, const Algorithm &algorithm, std::string_view text) {
    const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    EVP_PKEY_CTX *parameters = nullptr; // the context's own
    if (!context ||
        EVP_DigestSignInit(context.get(), &parameters, algorithm.digest, nullptr, key) != 1)
        return std::nullopt;
    // RFC 9231 2.3.10: the salt is as long as the digest.
    if (algorithm.pss &&
        (EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) != 1 ||
         EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) != 1))
        return std::nullopt;
    // Room for what the key may need is known beforehand: EVP_DigestSign is asked once, since some
    // tokens sign for the question of the length too.
    std::string value(static_cast<std::size_t>(EVP_PKEY_get_size(key)), '\0');
    std::size_t size = value.size();
    if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char *>(value.data()), &size,
                       reinterpret_cast<const unsigned char *>(text.data()), text.size()) != 1)
        return std::nullopt;
    value.resize(size);
    return algorithm.coordinate == 0 ? value : raw_ecdsa(value, algorithm.coordinate);
}

} // namespace

std::variant<std::string, TokenFault> write_signature(std::span<const SignedPart> parts,
                                                      std::string_view token_id,
                                                      const crypto::TokenKey &key, bool rsa_pss) {
    const auto algorithm = algorithm_of(key.pkey(), rsa_pss);
    if (!algorithm) return TokenFault{"The signing key is neither an RSA nor an EC key."};

    std::string info = fmt::format(
        R"(<ds:SignedInfo xmlns:ds="{}"><ds:CanonicalizationMethod Algorithm="{}"></ds:CanonicalizationMethod>)"
        R"(<ds:SignatureMethod Algorithm="{}"></ds:SignatureMethod>)",
        names::xmldsig, names::exclusive_c14n, algorithm->uri);
    for (const SignedPart &part : parts)
        info += fmt::format(
            R"(<ds:Reference URI="{}{}"><ds:Transforms><ds:Transform Algorithm="{}"></ds:Transform>)"
            R"(</ds:Transforms><ds:DigestMethod Algorithm="{}"></ds:DigestMethod>)"
            R"(<ds:DigestValue>{}</ds:DigestValue></ds:Reference>)",
            part.attachment ? "cid:" : "#", part.id,
            part.attachment ? names::swa_content : names::exclusive_c14n, names::sha256,
            base64(part.digest));
    info += "</ds:SignedInfo>";

    (void)key.take_fault(); // an older one is not this signature's
    ERR_clear_error();
    const auto value = sign(key.pkey(), *algorithm, info);
    if (!value) {
        const auto fault = key.take_fault();
        ERR_clear_error();
        return TokenFault{fault ? fault->what() : "The token did not sign, and gave no reason."};
    }
    return fmt::format(
        R"(<ds:Signature xmlns:ds="{}">{}<ds:SignatureValue>{}</ds:SignatureValue><ds:KeyInfo>)"
        R"(<wsse:SecurityTokenReference><wsse:Reference URI="#{}" ValueType="{}"></wsse:Reference>)"
        R"(</wsse:SecurityTokenReference></ds:KeyInfo></ds:Signature>)",
        names::xmldsig, info, base64(*value), token_id, names::x509v3);
}

} // namespace demail::soap
