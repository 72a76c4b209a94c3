#include "crypto/openssl_provider.hpp"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include <cstring>
#include <stdexcept>

namespace demail::crypto {
namespace {

// How make_pkey hands the token's half through EVP_PKEY_fromdata: a pointer to a shared_ptr that
// lives for the call. Nothing else ever builds such a parameter.
constexpr const char *private_half_param = "demail-private-half";
constexpr const char *properties = "provider=demail-pkcs11";

using PkeyContext = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

// OSSL_DISPATCH wants every function as void (*)().
template <typename Function>
constexpr void (*entry(Function *function))() {
    return reinterpret_cast<void (*)()>(function);
}

ProviderKey *key_of(void *key) {
    return static_cast<ProviderKey *>(key);
}
const ProviderKey *key_of(const void *key) {
    return static_cast<const ProviderKey *>(key);
}

void *key_new(void *) noexcept {
    return new (std::nothrow) ProviderKey;
}
void key_free(void *key) noexcept {
    delete key_of(key);
}

int key_has(const void *data, int selection) noexcept {
    const ProviderKey *key = key_of(data);
    if (key == nullptr || !key->public_half) return 0;
    return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0 || key->private_half ? 1 : 0;
}

int key_match(const void *a, const void *b, int) noexcept {
    if (!key_of(a)->public_half || !key_of(b)->public_half) return 0;
    return EVP_PKEY_eq(key_of(a)->public_half.get(), key_of(b)->public_half.get()) == 1 ? 1 : 0;
}

const OSSL_PARAM *param(const OSSL_PARAM params[], const char *name) {
    return OSSL_PARAM_locate_const(params, name);
}

int import_key(const char *type, ProviderKey &key, const OSSL_PARAM params[]) noexcept {
    // A private key in software is not for us; taken without its private half it would fail later.
    if (param(params, OSSL_PKEY_PARAM_RSA_D) != nullptr ||
        param(params, OSSL_PKEY_PARAM_PRIV_KEY) != nullptr)
        return 0;
    const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, "provider=default"));
    EVP_PKEY *made = nullptr;
    if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY,
                          const_cast<OSSL_PARAM *>(params)) != 1)
        return 0;
    key.public_half.reset(made);
    if (const OSSL_PARAM *half = param(params, private_half_param)) {
        const void *pointer = nullptr;
        std::size_t size = 0;
        if (OSSL_PARAM_get_octet_ptr(half, &pointer, &size) != 1 || pointer == nullptr) return 0;
        key.private_half = *static_cast<const std::shared_ptr<SigningKey> *>(pointer);
    }
    return 1;
}

int rsa_import(void *key, int, const OSSL_PARAM params[]) noexcept {
    return import_key("RSA", *key_of(key), params);
}

int ec_import(void *key, int, const OSSL_PARAM params[]) noexcept {
    return import_key("EC", *key_of(key), params);
}

// libssl compares certificate and key through it. With the private half asked for it refuses, so
// that OpenSSL comes to our signature and does not try the default provider's.
int key_export(void *data, int selection, OSSL_CALLBACK *callback, void *argument) noexcept {
    const ProviderKey *key = key_of(data);
    if (!key->public_half || (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0) return 0;
    return EVP_PKEY_export(key->public_half.get(), selection, callback, argument);
}

const OSSL_PARAM *rsa_types(int) noexcept {
    static const OSSL_PARAM types[] = {OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, nullptr, 0),
                                       OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, nullptr, 0),
                                       OSSL_PARAM_octet_ptr(private_half_param, nullptr, 0),
                                       OSSL_PARAM_END};
    return types;
}

const OSSL_PARAM *ec_types(int) noexcept {
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
        OSSL_PARAM_octet_ptr(private_half_param, nullptr, 0), OSSL_PARAM_END};
    return types;
}

// Group name, point format, encoded public key, sizes, default digest: libssl needs them all (with
// EC and TLS 1.3 it sends no certificate otherwise).
int key_get_params(void *key, OSSL_PARAM params[]) noexcept {
    return key_of(key)->public_half ? EVP_PKEY_get_params(key_of(key)->public_half.get(), params)
                                    : 0;
}

const OSSL_PARAM *rsa_gettable(void *) noexcept {
    static const OSSL_PARAM gettable[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, nullptr),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, nullptr),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, nullptr),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, nullptr, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, nullptr, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, nullptr, 0),
        OSSL_PARAM_END};
    return gettable;
}

const OSSL_PARAM *ec_gettable(void *) noexcept {
    static const OSSL_PARAM gettable[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, nullptr),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, nullptr),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, nullptr),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, nullptr, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, nullptr, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, nullptr, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
        OSSL_PARAM_END};
    return gettable;
}

const char *rsa_operation(int) noexcept {
    return "RSA";
}
const char *ec_operation(int operation) noexcept {
    return operation == OSSL_OP_SIGNATURE ? "ECDSA" : "EC";
}

const OSSL_DISPATCH rsa_keymgmt[] = {{OSSL_FUNC_KEYMGMT_NEW, entry(key_new)},
                                     {OSSL_FUNC_KEYMGMT_FREE, entry(key_free)},
                                     {OSSL_FUNC_KEYMGMT_HAS, entry(key_has)},
                                     {OSSL_FUNC_KEYMGMT_MATCH, entry(key_match)},
                                     {OSSL_FUNC_KEYMGMT_IMPORT, entry(rsa_import)},
                                     {OSSL_FUNC_KEYMGMT_IMPORT_TYPES, entry(rsa_types)},
                                     {OSSL_FUNC_KEYMGMT_EXPORT, entry(key_export)},
                                     {OSSL_FUNC_KEYMGMT_EXPORT_TYPES, entry(rsa_types)},
                                     {OSSL_FUNC_KEYMGMT_GET_PARAMS, entry(key_get_params)},
                                     {OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, entry(rsa_gettable)},
                                     {OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, entry(rsa_operation)},
                                     {0, nullptr}};

const OSSL_DISPATCH ec_keymgmt[] = {{OSSL_FUNC_KEYMGMT_NEW, entry(key_new)},
                                    {OSSL_FUNC_KEYMGMT_FREE, entry(key_free)},
                                    {OSSL_FUNC_KEYMGMT_HAS, entry(key_has)},
                                    {OSSL_FUNC_KEYMGMT_MATCH, entry(key_match)},
                                    {OSSL_FUNC_KEYMGMT_IMPORT, entry(ec_import)},
                                    {OSSL_FUNC_KEYMGMT_IMPORT_TYPES, entry(ec_types)},
                                    {OSSL_FUNC_KEYMGMT_EXPORT, entry(key_export)},
                                    {OSSL_FUNC_KEYMGMT_EXPORT_TYPES, entry(ec_types)},
                                    {OSSL_FUNC_KEYMGMT_GET_PARAMS, entry(key_get_params)},
                                    {OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, entry(ec_gettable)},
                                    {OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, entry(ec_operation)},
                                    {0, nullptr}};

const OSSL_ALGORITHM key_algorithms[] = {
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", properties, rsa_keymgmt,
     "RSA key on a PKCS#11 token"},
    {"EC:id-ecPublicKey:1.2.840.10045.2.1", properties, ec_keymgmt, "EC key on a PKCS#11 token"},
    {nullptr, nullptr, nullptr, nullptr}};

const OSSL_ALGORITHM *query(void *, int operation, int *no_cache) noexcept {
    *no_cache = 0;
    if (operation == OSSL_OP_KEYMGMT) return key_algorithms;
    if (operation == OSSL_OP_SIGNATURE) return signature_algorithms;
    return nullptr;
}

const OSSL_DISPATCH provider_functions[] = {{OSSL_FUNC_PROVIDER_QUERY_OPERATION, entry(query)},
                                            {0, nullptr}};

int initialise(const OSSL_CORE_HANDLE *, const OSSL_DISPATCH *, const OSSL_DISPATCH **out,
               void **context) noexcept {
    static char nothing;
    *out = provider_functions;
    *context = &nothing;
    return 1;
}

// The providers stay loaded until the end of the process: keys of ours may be in use to the last.
struct Providers {
    // Any provider that is loaded by name switches the implicit default one off. It also has to
    // stand first: a fetch without properties takes the first that fits.
    OSSL_PROVIDER *standard = OSSL_PROVIDER_load(nullptr, "default");
    OSSL_PROVIDER *own = OSSL_PROVIDER_add_builtin(nullptr, provider_name, initialise) == 1
                             ? OSSL_PROVIDER_load(nullptr, provider_name)
                             : nullptr;
};

int collect(const OSSL_PARAM params[], void *argument) noexcept {
    auto *const all = static_cast<OSSL_PARAM **>(argument);
    *all = OSSL_PARAM_dup(params);
    return *all != nullptr ? 1 : 0;
}

thread_local std::optional<TokenUnavailable> thread_fault;

} // namespace

Handle<EVP_PKEY, EVP_PKEY_free> make_pkey(EVP_PKEY *public_half,
                                          std::shared_ptr<SigningKey> private_half) {
    static const Providers providers;
    if (providers.standard == nullptr || providers.own == nullptr)
        throw std::runtime_error("OpenSSL does not load its providers");
    const bool rsa = EVP_PKEY_is_a(public_half, "RSA") == 1;
    if (!rsa && EVP_PKEY_is_a(public_half, "EC") != 1)
        throw std::invalid_argument("neither an RSA nor an EC key");

    OSSL_PARAM *exported = nullptr;
    if (EVP_PKEY_export(public_half, EVP_PKEY_PUBLIC_KEY, collect, &exported) != 1)
        throw std::runtime_error("OpenSSL does not export a public key");
    const Handle<OSSL_PARAM, OSSL_PARAM_free> public_params(exported);
    void *pointer = &private_half;
    OSSL_PARAM half[] = {OSSL_PARAM_construct_octet_ptr(private_half_param, &pointer, 0),
                         OSSL_PARAM_construct_end()};
    const Handle<OSSL_PARAM, OSSL_PARAM_free> params(OSSL_PARAM_merge(public_params.get(), half));

    const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, rsa ? "RSA" : "EC", properties));
    EVP_PKEY *made = nullptr;
    if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEYPAIR, params.get()) != 1)
        throw std::runtime_error("OpenSSL does not take the key of a token");
    return Handle<EVP_PKEY, EVP_PKEY_free>(made);
}

void set_thread_fault(std::optional<TokenUnavailable> fault) {
    thread_fault = std::move(fault);
}

std::optional<TokenUnavailable> take_thread_fault() {
    return std::exchange(thread_fault, std::nullopt);
}

} // namespace demail::crypto
