// A key in memory in place of one on a token: what TokenKey promises, without PKCS#11; and
// certificates for it.
#pragma once

#include "base/handle.hpp"
#include "crypto/token_key.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace demail::test {

using Pkey = Handle<EVP_PKEY, EVP_PKEY_free>;
using Certificate = Handle<X509, X509_free>;

class SoftwareKey final : public crypto::TokenKey {
  public:
    SoftwareKey(Pkey key, Certificate certificate)
        : key_(std::move(key)), certificate_(std::move(certificate)) {}

    static std::shared_ptr<SoftwareKey> from_pem(const std::string &key_file,
                                                 const std::string &certificate_file) {
        const Handle<BIO, BIO_free_all> key(BIO_new_file(key_file.c_str(), "r"));
        const Handle<BIO, BIO_free_all> certificate(BIO_new_file(certificate_file.c_str(), "r"));
        if (!key || !certificate) throw std::runtime_error("no key at " + key_file);
        auto made = std::make_shared<SoftwareKey>(
            Pkey(PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr)),
            Certificate(PEM_read_bio_X509(certificate.get(), nullptr, nullptr, nullptr)));
        if (!made->key_ || !made->certificate_) throw std::runtime_error("no key in " + key_file);
        return made;
    }

    [[nodiscard]] EVP_PKEY *pkey() const noexcept override { return key_.get(); }
    [[nodiscard]] X509 *certificate() const noexcept override { return certificate_.get(); }
    [[nodiscard]] const std::vector<Certificate> &chain() const noexcept override { return chain_; }
    [[nodiscard]] std::optional<crypto::TokenUnavailable> take_fault() const override {
        return fault;
    }

    std::optional<crypto::TokenUnavailable> fault; ///< what every signature failed with

  private:
    Pkey key_;
    Certificate certificate_;
    std::vector<Certificate> chain_;
};

/// A certificate of its own for the key, valid from an hour ago for a day, `shift` seconds later.
inline Certificate self_signed(EVP_PKEY *key, const std::string &name, long shift = 0) {
    Certificate certificate(X509_new());
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), shift - 3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), shift + 86400);
    X509_NAME *subject = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char *>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), subject);
    X509_set_pubkey(certificate.get(), key);
    if (X509_sign(certificate.get(), key, EVP_sha256()) == 0)
        throw std::runtime_error("a test certificate was not signed");
    return certificate;
}

/// "RSA" (2048 bits) or a curve's name.
inline std::shared_ptr<SoftwareKey> make_key(const std::string &kind, long shift = 0) {
    Pkey key(kind == "RSA" ? EVP_RSA_gen(2048) : EVP_EC_gen(kind.c_str()));
    if (!key) throw std::runtime_error("no test key of kind " + kind);
    Certificate certificate = self_signed(key.get(), "test " + kind, shift);
    return std::make_shared<SoftwareKey>(std::move(key), std::move(certificate));
}

/// A key that is there and does not sign, as that of a card that was pulled.
inline std::shared_ptr<SoftwareKey> key_that_does_not_sign(const std::string &sentence) {
    const auto whole = make_key("P-256");
    // Through DER: the certificate still holds the whole key that it was made for.
    const Certificate read_again(X509_dup(whole->certificate()));
    auto key = std::make_shared<SoftwareKey>(Pkey(X509_get_pubkey(read_again.get())),
                                             self_signed(whole->pkey(), "pulled"));
    key->fault.emplace(crypto::TokenUnavailable::Reason::absent, sentence);
    return key;
}

} // namespace demail::test
