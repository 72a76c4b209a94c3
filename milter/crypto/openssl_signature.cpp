// RSA and ECDSA signatures of the provider (provider-signature(7)): as libssl's TLS 1.2 and 1.3 and
// EVP_DigestSign ask for them. The digest is made here, the private-key operation on the token.
#include "base/ecdsa_value.hpp"
#include "crypto/openssl_provider.hpp"
#include "crypto/signature_params.hpp"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>

#include <cstring>
#include <new>

namespace demail::crypto {
namespace {

template <typename Function>
constexpr void (*entry(Function *function))() {
    return reinterpret_cast<void (*)()>(function);
}

using DigestContext = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;

struct SignatureContext {
    SignatureParams params;
    Handle<EVP_PKEY, EVP_PKEY_free> public_half;
    std::shared_ptr<SigningKey> private_half;
    DigestContext running; ///< between digest_sign_init and final
};

SignatureContext *context_of(void *context) {
    return static_cast<SignatureContext *>(context);
}

void *rsa_new(void *, const char *) noexcept {
    auto *context = new (std::nothrow) SignatureContext;
    if (context != nullptr) context->params.rsa = true;
    return context;
}

void *ec_new(void *, const char *) noexcept {
    return new (std::nothrow) SignatureContext;
}
void context_free(void *context) noexcept {
    delete context_of(context);
}

void *context_dup(void *data) noexcept {
    const SignatureContext &from = *context_of(data);
    auto *copy = new (std::nothrow) SignatureContext;
    if (copy == nullptr) return nullptr;
    copy->params = from.params;
    copy->private_half = from.private_half;
    if (from.public_half && EVP_PKEY_up_ref(from.public_half.get()) == 1)
        copy->public_half.reset(from.public_half.get());
    if (from.running) {
        copy->running.reset(EVP_MD_CTX_new());
        if (!copy->running || EVP_MD_CTX_copy_ex(copy->running.get(), from.running.get()) != 1) {
            delete copy;
            return nullptr;
        }
    }
    return copy;
}

int sign_init(void *data, void *key, const OSSL_PARAM params[]) noexcept {
    SignatureContext &context = *context_of(data);
    if (key != nullptr) {
        const auto &provided = *static_cast<const ProviderKey *>(key);
        if (!provided.private_half || EVP_PKEY_up_ref(provided.public_half.get()) != 1) return 0;
        context.public_half.reset(provided.public_half.get());
        context.private_half = provided.private_half;
    }
    return context.private_half && set_signature_params(context.params, params) ? 1 : 0;
}

std::size_t largest(const SignatureContext &context) {
    const int size = EVP_PKEY_get_size(context.public_half.get());
    return size > 0 ? static_cast<std::size_t>(size) : 0;
}

std::string signature_over(const SignatureContext &context, std::string digest) {
    const SignatureForm form = form_of(
        context.params, static_cast<std::size_t>(EVP_PKEY_get_bits(context.public_half.get())));
    if (form.digest != nullptr && digest.size() != form.digest->size)
        throw std::runtime_error("the digest has the wrong length");
    std::string signature = context.private_half->sign(form, std::move(digest));
    if (!context.params.rsa) {
        // PKCS#11 gives r ‖ s (2.40 current mechanisms 2.3.1), OpenSSL wants DER.
        auto der = der_ecdsa(signature);
        if (!der) throw std::runtime_error("the token gave a malformed ECDSA signature");
        return *std::move(der);
    }
    if (signature.size() != largest(context))
        throw std::runtime_error("the token gave an RSA signature of the wrong length");
    return signature;
}

int give(const SignatureContext &context, std::string digest, unsigned char *out, std::size_t *size,
         std::size_t room) noexcept {
    try {
        set_thread_fault(std::nullopt);
        std::string signature;
        try {
            signature = signature_over(context, std::move(digest));
        } catch (const TokenUnavailable &fault) {
            set_thread_fault(fault);
            throw;
        } catch (const std::runtime_error &error) {
            set_thread_fault(TokenUnavailable(TokenUnavailable::Reason::failed, error.what()));
            throw;
        }
        if (signature.size() > room) return 0;
        std::memcpy(out, signature.data(), signature.size());
        *size = signature.size();
        return 1;
    } catch (const std::exception &error) {
        ERR_raise_data(ERR_LIB_USER, ERR_R_INTERNAL_ERROR, "%s", error.what());
        return 0;
    }
}

int sign(void *data, unsigned char *out, std::size_t *size, std::size_t room,
         const unsigned char *input, std::size_t input_size) noexcept {
    const SignatureContext &context = *context_of(data);
    if (out == nullptr) {
        *size = largest(context);
        return 1;
    }
    return give(context, {reinterpret_cast<const char *>(input), input_size}, out, size, room);
}

int digest_sign_init(void *data, const char *digest, void *key,
                     const OSSL_PARAM params[]) noexcept {
    SignatureContext &context = *context_of(data);
    if (sign_init(data, key, params) != 1) return 0;
    if (digest != nullptr && *digest != '\0') context.params.digest = digest_algorithm(digest);
    if (context.params.digest == nullptr) {
        set_thread_fault(
            TokenUnavailable(TokenUnavailable::Reason::failed,
                             "keys of a token sign SHA-256, SHA-384 and SHA-512 only"));
        return 0;
    }
    const Handle<EVP_MD, EVP_MD_free> md(
        EVP_MD_fetch(nullptr, context.params.digest->name, nullptr));
    context.running.reset(EVP_MD_CTX_new());
    return md && context.running &&
                   EVP_DigestInit_ex2(context.running.get(), md.get(), nullptr) == 1
               ? 1
               : 0;
}

int digest_sign_update(void *data, const unsigned char *bytes, std::size_t size) noexcept {
    SignatureContext &context = *context_of(data);
    return context.running && EVP_DigestUpdate(context.running.get(), bytes, size) == 1 ? 1 : 0;
}

int digest_sign_final(void *data, unsigned char *out, std::size_t *size,
                      std::size_t room) noexcept {
    SignatureContext &context = *context_of(data);
    if (out == nullptr) {
        *size = largest(context);
        return 1;
    }
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_size = 0;
    if (!context.running || EVP_DigestFinal_ex(context.running.get(), digest, &digest_size) != 1)
        return 0;
    return give(context, {reinterpret_cast<const char *>(digest), digest_size}, out, size, room);
}

int get_params(void *data, OSSL_PARAM params[]) noexcept {
    return get_signature_params(context_of(data)->params, params) ? 1 : 0;
}

int set_params(void *data, const OSSL_PARAM params[]) noexcept {
    return set_signature_params(context_of(data)->params, params) ? 1 : 0;
}

const OSSL_PARAM *rsa_settable(void *, void *) noexcept {
    return rsa_signature_params;
}
const OSSL_PARAM *ec_settable(void *, void *) noexcept {
    return ec_signature_params;
}

#define DEMAIL_SIGNATURE(newctx, settable)                                                         \
    {OSSL_FUNC_SIGNATURE_NEWCTX, entry(newctx)},                                                   \
        {OSSL_FUNC_SIGNATURE_FREECTX, entry(context_free)},                                        \
        {OSSL_FUNC_SIGNATURE_DUPCTX, entry(context_dup)},                                          \
        {OSSL_FUNC_SIGNATURE_SIGN_INIT, entry(sign_init)},                                         \
        {OSSL_FUNC_SIGNATURE_SIGN, entry(sign)},                                                   \
        {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, entry(digest_sign_init)},                           \
        {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, entry(digest_sign_update)},                       \
        {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, entry(digest_sign_final)},                         \
        {OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, entry(get_params)},                                   \
        {OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, entry(settable)},                                \
        {OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, entry(set_params)},                                   \
        {OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, entry(settable)}, {                              \
        0, nullptr                                                                                 \
    }

const OSSL_DISPATCH rsa_signature[] = {DEMAIL_SIGNATURE(rsa_new, rsa_settable)};
const OSSL_DISPATCH ec_signature[] = {DEMAIL_SIGNATURE(ec_new, ec_settable)};

#undef DEMAIL_SIGNATURE

} // namespace

const OSSL_ALGORITHM signature_algorithms[] = {
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", "provider=demail-pkcs11", rsa_signature,
     "RSA PKCS#1 and PSS on a PKCS#11 token"},
    {"ECDSA", "provider=demail-pkcs11", ec_signature, "ECDSA on a PKCS#11 token"},
    {nullptr, nullptr, nullptr, nullptr}};

} // namespace demail::crypto
