#include "module/crypto.hpp"

#include "module/refused.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

namespace demail::module {
namespace {

using Bignum = Handle<BIGNUM, BN_free>;
using Key = Handle<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

void expect(bool condition) {
    require(condition, CKR_GENERAL_ERROR);
}

const unsigned char *octets(std::string_view bytes) noexcept {
    return reinterpret_cast<const unsigned char *>(bytes.data());
}

const char *name_of(wire::Hash hash) {
    switch (hash) {
    case wire::Hash::sha1:
        return "SHA1";
    case wire::Hash::sha256:
        return "SHA256";
    case wire::Hash::sha384:
        return "SHA384";
    case wire::Hash::sha512:
        return "SHA512";
    }
    throw Refused{CKR_GENERAL_ERROR};
}

Bignum number(std::string_view bytes) {
    Bignum value(BN_bin2bn(octets(bytes), static_cast<int>(bytes.size()), nullptr));
    expect(value != nullptr);
    return value;
}

Key public_key(OSSL_LIB_CTX *context, const RsaPublicKey &rsa) {
    const Bignum n = number(rsa.modulus), e = number(rsa.exponent);
    const Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
    expect(builder != nullptr &&
           OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
           OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1);
    const Handle<OSSL_PARAM, OSSL_PARAM_free> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
    const KeyContext maker(EVP_PKEY_CTX_new_from_name(context, "RSA", nullptr));
    EVP_PKEY *key = nullptr;
    expect(maker != nullptr && parameters != nullptr && EVP_PKEY_fromdata_init(maker.get()) == 1 &&
           EVP_PKEY_fromdata(maker.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) == 1);
    return Key(key);
}

} // namespace

OwnErrors::OwnErrors() {
    ERR_set_mark();
}
OwnErrors::~OwnErrors() {
    ERR_pop_to_mark();
}

OSSL_LIB_CTX *Crypto::context() {
    const std::lock_guard lock(mutex_);
    if (!context_) context_.reset(OSSL_LIB_CTX_new());
    expect(context_ != nullptr);
    return context_.get();
}

Handle<EVP_MD, EVP_MD_free> Crypto::algorithm(wire::Hash hash) {
    Handle<EVP_MD, EVP_MD_free> algorithm(EVP_MD_fetch(context(), name_of(hash), nullptr));
    expect(algorithm != nullptr);
    return algorithm;
}

std::size_t size_of(wire::Hash hash) noexcept {
    switch (hash) {
    case wire::Hash::sha1:
        return 20;
    case wire::Hash::sha256:
        return 32;
    case wire::Hash::sha384:
        return 48;
    case wire::Hash::sha512:
        return 64;
    }
    return 0;
}

Digest::Digest(Crypto &crypto, wire::Hash hash) : size_(size_of(hash)), context_(EVP_MD_CTX_new()) {
    const OwnErrors errors;
    const auto algorithm = crypto.algorithm(hash);
    expect(context_ != nullptr && EVP_DigestInit_ex(context_.get(), algorithm.get(), nullptr) == 1);
}

void Digest::update(std::string_view bytes) {
    const OwnErrors errors;
    expect(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

std::string Digest::finish() {
    const OwnErrors errors;
    std::string digest(size_, '\0');
    expect(EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char *>(digest.data()),
                              nullptr) == 1);
    return digest;
}

bool verifies(Crypto &crypto, const RsaPublicKey &rsa, const wire::SignScheme &scheme,
              std::string_view input, std::string_view signature) {
    const OwnErrors errors;
    const Key key = public_key(crypto.context(), rsa);
    const KeyContext context(EVP_PKEY_CTX_new_from_pkey(crypto.context(), key.get(), nullptr));
    expect(context != nullptr && EVP_PKEY_verify_init(context.get()) == 1);
    if (const auto *pkcs1 = std::get_if<wire::Pkcs1Signature>(&scheme)) {
        expect(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1);
        if (pkcs1->hash)
            expect(EVP_PKEY_CTX_set_signature_md(context.get(),
                                                 crypto.algorithm(*pkcs1->hash).get()) == 1);
    } else {
        const auto &pss = std::get<wire::PssSignature>(scheme);
        expect(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_signature_md(context.get(), crypto.algorithm(pss.hash).get()) ==
                   1 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), crypto.algorithm(pss.mgf).get()) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), pss.salt) == 1);
    }
    return EVP_PKEY_verify(context.get(), octets(signature), signature.size(), octets(input),
                           input.size()) == 1;
}

} // namespace demail::module
