#include "crypto/signature_params.hpp"

#include "base/handle.hpp"

#include <openssl/core_names.h>
#include <openssl/objects.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <charconv>
#include <cstring>
#include <stdexcept>
#include <string_view>

namespace demail::crypto {
namespace {

std::string_view text_of(const OSSL_PARAM &param) {
    const char *text = nullptr;
    return OSSL_PARAM_get_utf8_string_ptr(&param, &text) == 1 && text != nullptr ? text : "";
}

bool set_padding(SignatureParams &to, const OSSL_PARAM &param) {
    int mode = 0;
    if (param.data_type == OSSL_PARAM_UTF8_STRING) {
        const std::string_view name = text_of(param);
        mode = name == OSSL_PKEY_RSA_PAD_MODE_PSS       ? RSA_PKCS1_PSS_PADDING
               : name == OSSL_PKEY_RSA_PAD_MODE_PKCSV15 ? RSA_PKCS1_PADDING
                                                        : 0;
    } else if (OSSL_PARAM_get_int(&param, &mode) != 1) {
        return false;
    }
    to.pss = mode == RSA_PKCS1_PSS_PADDING;
    return to.pss || mode == RSA_PKCS1_PADDING;
}

bool set_salt(SignatureParams &to, const OSSL_PARAM &param) {
    if (param.data_type != OSSL_PARAM_UTF8_STRING)
        return OSSL_PARAM_get_int(&param, &to.salt_length) == 1 && to.salt_length >= -4;
    const std::string_view text = text_of(param);
    if (text == OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST) {
        to.salt_length = RSA_PSS_SALTLEN_DIGEST;
    } else if (text == OSSL_PKEY_RSA_PSS_SALT_LEN_MAX) {
        to.salt_length = RSA_PSS_SALTLEN_MAX;
    } else if (text == OSSL_PKEY_RSA_PSS_SALT_LEN_AUTO) {
        to.salt_length = RSA_PSS_SALTLEN_AUTO;
    } else {
        const auto [end, error] =
            std::from_chars(text.data(), text.data() + text.size(), to.salt_length);
        return error == std::errc() && end == text.data() + text.size() && to.salt_length >= 0;
    }
    return true;
}

bool set_digest(const DigestAlgorithm *&to, const OSSL_PARAM &param) {
    const char *name = nullptr;
    if (OSSL_PARAM_get_utf8_string_ptr(&param, &name) != 1 || name == nullptr) return false;
    to = digest_algorithm(name);
    return to != nullptr;
}

// AlgorithmIdentifier as certificates and CMS carry it (RFC 4055 5, RFC 5758 3.2). PSS has
// parameters of its own and is left out: nothing here makes such certificates.
bool get_algorithm_id(const SignatureParams &from, OSSL_PARAM &param) {
    if (from.digest == nullptr || from.pss) return false;
    int signature = 0;
    if (OBJ_find_sigid_by_algs(&signature, OBJ_sn2nid(from.digest->name),
                               from.rsa ? NID_rsaEncryption : NID_X9_62_id_ecPublicKey) != 1)
        return false;
    const Handle<X509_ALGOR, X509_ALGOR_free> algorithm(X509_ALGOR_new());
    unsigned char *der = nullptr;
    if (!algorithm || X509_ALGOR_set0(algorithm.get(), OBJ_nid2obj(signature),
                                      from.rsa ? V_ASN1_NULL : V_ASN1_UNDEF, nullptr) != 1)
        return false;
    const int size = i2d_X509_ALGOR(algorithm.get(), &der);
    if (size <= 0) return false;
    const bool set = OSSL_PARAM_set_octet_string(&param, der, static_cast<std::size_t>(size)) == 1;
    OPENSSL_free(der);
    return set;
}

bool get_padding(const SignatureParams &from, OSSL_PARAM &param) {
    if (param.data_type == OSSL_PARAM_UTF8_STRING)
        return OSSL_PARAM_set_utf8_string(&param, from.pss ? OSSL_PKEY_RSA_PAD_MODE_PSS
                                                           : OSSL_PKEY_RSA_PAD_MODE_PKCSV15) == 1;
    return OSSL_PARAM_set_int(&param, from.pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) == 1;
}

bool get_salt(const SignatureParams &from, OSSL_PARAM &param) {
    if (param.data_type != OSSL_PARAM_UTF8_STRING)
        return OSSL_PARAM_set_int(&param, from.salt_length) == 1;
    const std::string text = from.salt_length == RSA_PSS_SALTLEN_DIGEST ? "digest"
                             : from.salt_length == RSA_PSS_SALTLEN_AUTO ? "auto"
                             : from.salt_length < 0                     ? "max"
                                                    : std::to_string(from.salt_length);
    return OSSL_PARAM_set_utf8_string(&param, text.c_str()) == 1;
}

std::size_t salt_size(const SignatureParams &params, std::size_t key_bits) {
    const std::size_t encoded = (key_bits - 1 + 7) / 8;
    if (encoded < params.digest->size + 2) throw std::runtime_error("the RSA key is too short");
    const std::size_t most = encoded - params.digest->size - 2;
    std::size_t size = most; // MAX, and AUTO when signing
    if (params.salt_length >= 0) size = static_cast<std::size_t>(params.salt_length);
    if (params.salt_length == RSA_PSS_SALTLEN_DIGEST) size = params.digest->size;
    if (size > most) throw std::runtime_error("the RSA key is too short for this PSS salt");
    return size;
}

} // namespace

bool set_signature_params(SignatureParams &to, const OSSL_PARAM params[]) noexcept {
    for (const OSSL_PARAM *p = params; p != nullptr && p->key != nullptr; ++p) {
        const std::string_view key = p->key;
        bool good = true;
        if (key == OSSL_SIGNATURE_PARAM_DIGEST) good = set_digest(to.digest, *p);
        if (to.rsa && key == OSSL_SIGNATURE_PARAM_PAD_MODE) good = set_padding(to, *p);
        if (to.rsa && key == OSSL_SIGNATURE_PARAM_MGF1_DIGEST) good = set_digest(to.mgf, *p);
        if (to.rsa && key == OSSL_SIGNATURE_PARAM_PSS_SALTLEN) good = set_salt(to, *p);
        if (!good) return false;
    }
    return true;
}

bool get_signature_params(const SignatureParams &from, OSSL_PARAM params[]) noexcept {
    for (OSSL_PARAM *p = params; p != nullptr && p->key != nullptr; ++p) {
        const std::string_view key = p->key;
        const DigestAlgorithm *const mgf = from.mgf == nullptr ? from.digest : from.mgf;
        bool good = true;
        if (key == OSSL_SIGNATURE_PARAM_ALGORITHM_ID) good = get_algorithm_id(from, *p);
        if (key == OSSL_SIGNATURE_PARAM_DIGEST)
            good = OSSL_PARAM_set_utf8_string(p, from.digest ? from.digest->name : "") == 1;
        if (from.rsa && key == OSSL_SIGNATURE_PARAM_PAD_MODE) good = get_padding(from, *p);
        if (from.rsa && key == OSSL_SIGNATURE_PARAM_PSS_SALTLEN) good = get_salt(from, *p);
        if (from.rsa && key == OSSL_SIGNATURE_PARAM_MGF1_DIGEST)
            good = OSSL_PARAM_set_utf8_string(p, mgf ? mgf->name : "") == 1;
        if (!good) return false;
    }
    return true;
}

SignatureForm form_of(const SignatureParams &params, std::size_t key_bits) {
    SignatureForm form;
    form.digest = params.digest;
    if (!params.rsa) {
        form.padding = SignatureForm::Padding::ecdsa;
    } else if (params.pss) {
        if (params.digest == nullptr) throw std::runtime_error("RSA-PSS needs a digest");
        form.padding = SignatureForm::Padding::pss;
        form.mgf = params.mgf;
        form.salt_size = salt_size(params, key_bits);
    }
    return form;
}

const OSSL_PARAM rsa_signature_params[] = {
    OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, nullptr, 0),
    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, nullptr, 0),
    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, nullptr, 0),
    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, nullptr, 0),
    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, nullptr, 0),
    OSSL_PARAM_END};

const OSSL_PARAM ec_signature_params[] = {
    OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, nullptr, 0),
    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, nullptr, 0), OSSL_PARAM_END};

} // namespace demail::crypto
