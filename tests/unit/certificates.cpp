#include "certificates.hpp"

#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace demail::test {
namespace {

void must(bool good) {
    if (!good) throw std::runtime_error("OpenSSL refuses to make a certificate for a test");
}

void extend(X509 *certificate, X509 *issuer, int nid, const std::string &value) {
    if (value.empty()) return;
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const Handle<X509_EXTENSION, X509_EXTENSION_free> extension(
        X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
    must(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
}

} // namespace

Key make_key(const std::string &kind, unsigned rsa_bits) {
    Key key(kind == "RSA" ? EVP_RSA_gen(rsa_bits) : EVP_EC_gen(kind.c_str()));
    must(key != nullptr);
    return key;
}

Certificate make_certificate(EVP_PKEY *key, const CertificateWish &wish, X509 *issuer,
                             EVP_PKEY *issuer_key) {
    static long serial = 1000;
    Certificate certificate(X509_new());
    must(certificate && X509_set_version(certificate.get(), 2) == 1);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), wish.from_days * 86400);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), wish.until_days * 86400);
    X509_NAME *const subject = X509_get_subject_name(certificate.get());
    must(X509_NAME_add_entry_by_txt(
             subject, "CN", MBSTRING_UTF8,
             reinterpret_cast<const unsigned char *>(wish.common_name.c_str()), -1, -1, 0) == 1);
    X509 *const signer = issuer == nullptr ? certificate.get() : issuer;
    must(X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer)) == 1 &&
         X509_set_pubkey(certificate.get(), key) == 1);
    extend(certificate.get(), signer, NID_basic_constraints,
           wish.ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    extend(certificate.get(), signer, NID_key_usage,
           wish.ca ? "critical,keyCertSign,cRLSign" : wish.key_usage);
    extend(certificate.get(), signer, NID_ext_key_usage, wish.ca ? "" : wish.extended_key_usage);
    must(X509_sign(certificate.get(), issuer_key == nullptr ? key : issuer_key, EVP_sha256()) > 0);
    return certificate;
}

} // namespace demail::test
