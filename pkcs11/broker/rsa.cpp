#include "broker/rsa.hpp"

#include "base/digest_info.hpp"
#include "base/handle.hpp"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <stdexcept>

namespace demail::broker {
namespace {

using BigNumber = Handle<BIGNUM, BN_free>;

BigNumber big_number(const std::string &bytes) {
    return BigNumber(BN_bin2bn(reinterpret_cast<const unsigned char *>(bytes.data()),
                               static_cast<int>(bytes.size()), nullptr));
}

const unsigned char *octets(const std::string &bytes) {
    return reinterpret_cast<const unsigned char *>(bytes.data());
}

const char *name_of(wire::Hash hash) {
    switch (hash) {
    case wire::Hash::sha1:
        return "sha1";
    case wire::Hash::sha256:
        return "sha256";
    case wire::Hash::sha384:
        return "sha384";
    case wire::Hash::sha512:
        return "sha512";
    }
    return "?";
}

const EVP_MD *digest_of(wire::Hash hash) {
    const DigestAlgorithm *algorithm = signature_digest(hash);
    return algorithm == nullptr ? nullptr : EVP_get_digestbyname(algorithm->name);
}

bool set_pss(EVP_PKEY_CTX *context, const wire::PssSignature &scheme) {
    const EVP_MD *digest = digest_of(scheme.hash), *mgf = digest_of(scheme.mgf);
    return digest != nullptr && mgf != nullptr &&
           EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_signature_md(context, digest) > 0 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(context, mgf) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, scheme.salt) > 0;
}

} // namespace

std::shared_ptr<EVP_PKEY> rsa_public_key(const std::string &modulus, const std::string &exponent) {
    if (modulus.size() < 128 || modulus.size() > 1024 || exponent.empty() || exponent.size() > 8)
        return nullptr;
    const BigNumber n = big_number(modulus), e = big_number(exponent);
    const Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
    if (!n || !e || !builder ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
        return nullptr;
    const Handle<OSSL_PARAM, OSSL_PARAM_free> params(OSSL_PARAM_BLD_to_param(builder.get()));
    const Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
        EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
    EVP_PKEY *key = nullptr;
    if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
        return nullptr;
    return {key, EVP_PKEY_free};
}

std::size_t modulus_bits(const EVP_PKEY &key) {
    return static_cast<std::size_t>(EVP_PKEY_get_bits(&key));
}

const DigestAlgorithm *signature_digest(wire::Hash hash) {
    return digest_algorithm(name_of(hash));
}

const DigestAlgorithm *encryption_digest(wire::Hash hash) {
    static constexpr DigestAlgorithm sha1{"SHA1", 20, CKM_SHA_1, CKG_MGF1_SHA1};
    return hash == wire::Hash::sha1 ? &sha1 : signature_digest(hash);
}

std::optional<std::string> pkcs1_text(const wire::Pkcs1Signature &scheme,
                                      const std::string &input) {
    if (!scheme.hash) return input;
    const DigestAlgorithm *algorithm = signature_digest(*scheme.hash);
    if (algorithm == nullptr || input.size() != algorithm->size) return std::nullopt;
    return digest_info(*algorithm, input);
}

bool verifies(const EVP_PKEY &key, const wire::SignScheme &scheme, const std::string &input,
              const std::string &signature) {
    // OpenSSL takes a reference, so it wants it writable.
    const Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
        EVP_PKEY_CTX_new_from_pkey(nullptr, const_cast<EVP_PKEY *>(&key), nullptr));
    if (!context || EVP_PKEY_verify_init(context.get()) != 1) return false;
    std::string text = input;
    if (const auto *pss = std::get_if<wire::PssSignature>(&scheme)) {
        if (!set_pss(context.get(), *pss)) return false;
    } else {
        const auto wanted = pkcs1_text(std::get<wire::Pkcs1Signature>(scheme), input);
        if (!wanted || EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) <= 0)
            return false;
        text = *wanted;
    }
    return EVP_PKEY_verify(context.get(), octets(signature), signature.size(), octets(text),
                           text.size()) == 1;
}

std::string mechanism_name(const wire::SignScheme &scheme) {
    if (const auto *pss = std::get_if<wire::PssSignature>(&scheme))
        return fmt::format("rsa-pss {} mgf1-{} salt-{}", name_of(pss->hash), name_of(pss->mgf),
                           pss->salt);
    const auto &hash = std::get<wire::Pkcs1Signature>(scheme).hash;
    return hash ? fmt::format("rsa-pkcs1 {}", name_of(*hash)) : "rsa-pkcs1";
}

std::string mechanism_name(const wire::DecryptScheme &scheme) {
    if (const auto *oaep = std::get_if<wire::OaepEncryption>(&scheme))
        return fmt::format("rsa-oaep {} mgf1-{}", name_of(oaep->hash), name_of(oaep->mgf));
    return "rsa-pkcs1-decrypt";
}

} // namespace demail::broker
