#include "broker/rsa.hpp"

#include "base/digest_info.hpp"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <utility>

namespace demail::broker {
namespace {

using BigNumber = Handle<BIGNUM, BN_free>;
using KeyContext = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

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

KeyContext verification(EVP_PKEY &key) {
    KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, &key, nullptr));
    if (context && EVP_PKEY_verify_init(context.get()) != 1) context.reset();
    return context;
}

bool is_signature(EVP_PKEY_CTX *context, const std::string &text, const std::string &signature) {
    return EVP_PKEY_verify(context, octets(signature), signature.size(), octets(text),
                           text.size()) == 1;
}

} // namespace

RsaPublicKey::RsaPublicKey(Key key, Context pkcs1)
    : key_(std::move(key)), pkcs1_(std::move(pkcs1)) {}

std::shared_ptr<RsaPublicKey> RsaPublicKey::make(const std::string &modulus,
                                                 const std::string &exponent) {
    if (modulus.size() < 128 || modulus.size() > 1024 || exponent.empty() || exponent.size() > 8)
        return nullptr;
    const BigNumber n = big_number(modulus), e = big_number(exponent);
    const Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
    if (!n || !e || !builder ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
        return nullptr;
    const Handle<OSSL_PARAM, OSSL_PARAM_free> params(OSSL_PARAM_BLD_to_param(builder.get()));
    const Context maker(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
    EVP_PKEY *raw = nullptr;
    if (!params || !maker || EVP_PKEY_fromdata_init(maker.get()) != 1 ||
        EVP_PKEY_fromdata(maker.get(), &raw, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
        return nullptr;
    Key key(raw);
    Context pkcs1 = verification(*key);
    if (!pkcs1 || EVP_PKEY_CTX_set_rsa_padding(pkcs1.get(), RSA_PKCS1_PADDING) <= 0) return nullptr;
    return std::shared_ptr<RsaPublicKey>(new RsaPublicKey(std::move(key), std::move(pkcs1)));
}

std::size_t RsaPublicKey::bits() const {
    return static_cast<std::size_t>(EVP_PKEY_get_bits(key_.get()));
}

bool RsaPublicKey::verifies(const wire::SignScheme &scheme, const std::string &input,
                            const std::string &signature) const {
    if (const auto *pss = std::get_if<wire::PssSignature>(&scheme)) {
        const auto context = verification(*key_);
        return context && set_pss(context.get(), *pss) &&
               is_signature(context.get(), input, signature);
    }
    const auto text = pkcs1_text(std::get<wire::Pkcs1Signature>(scheme), input);
    const std::lock_guard lock(mutex_);
    return text && is_signature(pkcs1_.get(), *text, signature);
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
