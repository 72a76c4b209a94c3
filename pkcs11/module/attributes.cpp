// The attributes of PKCS#11 2.40 4.6 to 4.9 that a key or a certificate of a card has.
#include "module/object.hpp"
#include "module/refused.hpp"
#include "module/rsa_der.hpp"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <optional>

namespace demail::module {
namespace {

using X509Certificate = Handle<X509, X509_free>;

class Attributes {
  public:
    Attributes &add(CK_ATTRIBUTE_TYPE type, std::string value) {
        list_.push_back({type, std::move(value)});
        return *this;
    }
    Attributes &flag(CK_ATTRIBUTE_TYPE type, bool value) {
        return add(type, std::string(1, value ? CK_TRUE : CK_FALSE));
    }
    Attributes &number(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
        return add(type, std::string(reinterpret_cast<const char *>(&value), sizeof value));
    }
    [[nodiscard]] std::vector<Attribute> take() { return std::move(list_); }

  private:
    std::vector<Attribute> list_;
};

Attributes storage(CK_OBJECT_CLASS type, const std::string &label, const std::string &id) {
    Attributes attributes;
    attributes.number(CKA_CLASS, type)
        .flag(CKA_TOKEN, true)
        .flag(CKA_PRIVATE, type == CKO_PRIVATE_KEY)
        .flag(CKA_MODIFIABLE, false)
        .flag(CKA_COPYABLE, false)
        .flag(CKA_DESTROYABLE, false)
        .add(CKA_LABEL, label)
        .add(CKA_ID, id);
    return attributes;
}

std::string allowed_mechanisms(const wire::Key &key) {
    std::string list;
    const auto add = [&](CK_MECHANISM_TYPE type) {
        list.append(reinterpret_cast<const char *>(&type), sizeof type);
    };
    if (key.may_sign || key.may_decrypt) add(CKM_RSA_PKCS);
    if (key.may_decrypt) add(CKM_RSA_PKCS_OAEP);
    if (key.may_sign)
        for (const CK_MECHANISM_TYPE type :
             {CKM_SHA256_RSA_PKCS, CKM_SHA384_RSA_PKCS, CKM_SHA512_RSA_PKCS, CKM_RSA_PKCS_PSS,
              CKM_SHA256_RSA_PKCS_PSS, CKM_SHA384_RSA_PKCS_PSS, CKM_SHA512_RSA_PKCS_PSS})
            add(type);
    return list;
}

void describe_key(Attributes &attributes, const wire::Key &key, const std::string &subject) {
    attributes.number(CKA_KEY_TYPE, CKK_RSA)
        .add(CKA_START_DATE, "")
        .add(CKA_END_DATE, "")
        .flag(CKA_DERIVE, false)
        .flag(CKA_LOCAL, false)
        .number(CKA_KEY_GEN_MECHANISM, unavailable)
        .add(CKA_ALLOWED_MECHANISMS, allowed_mechanisms(key))
        .add(CKA_SUBJECT, subject)
        .add(CKA_MODULUS, key.modulus)
        .add(CKA_PUBLIC_EXPONENT, key.public_exponent)
        .add(CKA_PUBLIC_KEY_INFO, rsa_public_key_info(key.modulus, key.public_exponent));
}

Object object(CK_OBJECT_CLASS type, const std::string &distinction, Attributes attributes) {
    Object made;
    made.type = type;
    made.identity = std::to_string(type) + ':' + distinction;
    made.attributes = attributes.take();
    return made;
}

Object public_key(const wire::Key &key, const std::string &subject) {
    Attributes attributes = storage(CKO_PUBLIC_KEY, key.label, key.id);
    describe_key(attributes, key, subject);
    attributes.flag(CKA_ENCRYPT, key.may_decrypt)
        .flag(CKA_VERIFY, key.may_sign)
        .flag(CKA_VERIFY_RECOVER, false)
        .flag(CKA_WRAP, false)
        .flag(CKA_TRUSTED, false)
        .number(CKA_MODULUS_BITS, bits_of(key.modulus));
    Object made = object(CKO_PUBLIC_KEY, key.id + key.modulus, std::move(attributes));
    made.key = key;
    return made;
}

Object private_key(const wire::Key &key, const std::string &subject) {
    Attributes attributes = storage(CKO_PRIVATE_KEY, key.label, key.id);
    describe_key(attributes, key, subject);
    attributes.flag(CKA_SENSITIVE, true)
        .flag(CKA_ALWAYS_SENSITIVE, true)
        .flag(CKA_EXTRACTABLE, false)
        .flag(CKA_NEVER_EXTRACTABLE, true)
        .flag(CKA_DECRYPT, key.may_decrypt)
        .flag(CKA_SIGN, key.may_sign)
        .flag(CKA_SIGN_RECOVER, false)
        .flag(CKA_UNWRAP, false)
        .flag(CKA_WRAP_WITH_TRUSTED, false)
        .flag(CKA_ALWAYS_AUTHENTICATE, false);
    Object made = object(CKO_PRIVATE_KEY, key.id + key.modulus, std::move(attributes));
    made.key = key;
    return made;
}

template <typename T, typename Encode>
std::string der(const T *value, Encode encode) {
    unsigned char *bytes = nullptr;
    const int size = encode(value, &bytes);
    if (size <= 0) return {};
    std::string text(reinterpret_cast<const char *>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    return text;
}

/// CK_DATE: YYYYMMDD.
std::string date(const ASN1_TIME *time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
    char text[9];
    return std::strftime(text, sizeof text, "%Y%m%d", &parts) == 8 ? text : std::string();
}

X509Certificate parsed(Crypto &crypto, const std::string &bytes) {
    X509 *certificate = X509_new_ex(crypto.context(), nullptr);
    const auto *at = reinterpret_cast<const unsigned char *>(bytes.data());
    // On failure d2i frees what it was given and leaves nullptr.
    d2i_X509(&certificate, &at, static_cast<long>(bytes.size()));
    return X509Certificate(certificate);
}

/// CK_CERTIFICATE_CATEGORY: 0 unspecified, 1 the token's user, 2 an authority.
CK_ULONG category(X509 *certificate, bool has_key) {
    if (has_key) return 1;
    return X509_check_ca(certificate) > 0 ? 2 : 0;
}

Object certificate(const wire::Certificate &one, X509 *x509, bool has_key) {
    Attributes attributes = storage(CKO_CERTIFICATE, one.label, one.id);
    attributes.number(CKA_CERTIFICATE_TYPE, CKC_X_509)
        .flag(CKA_TRUSTED, false)
        .number(CKA_CERTIFICATE_CATEGORY, category(x509, has_key))
        .add(CKA_START_DATE, date(X509_get0_notBefore(x509)))
        .add(CKA_END_DATE, date(X509_get0_notAfter(x509)))
        .add(CKA_SUBJECT, der(X509_get_subject_name(x509), i2d_X509_NAME))
        .add(CKA_ISSUER, der(X509_get_issuer_name(x509), i2d_X509_NAME))
        .add(CKA_SERIAL_NUMBER, der(X509_get0_serialNumber(x509), i2d_ASN1_INTEGER))
        .add(CKA_PUBLIC_KEY_INFO, der(X509_get_X509_PUBKEY(x509), i2d_X509_PUBKEY))
        .add(CKA_VALUE, one.der);
    return object(CKO_CERTIFICATE, one.id + one.der, std::move(attributes));
}

} // namespace

std::vector<Object> objects_of(Crypto &crypto, const wire::ObjectList &list) {
    const OwnErrors errors;
    std::vector<Object> objects;
    std::vector<std::pair<std::string, std::string>> subjects; // CKA_ID, subject
    for (const wire::Certificate &one : list.certificates) {
        const X509Certificate x509 = parsed(crypto, one.der);
        if (!x509) continue;
        const bool has_key = std::any_of(list.keys.begin(), list.keys.end(),
                                         [&](const wire::Key &key) { return key.id == one.id; });
        objects.push_back(certificate(one, x509.get(), has_key));
        subjects.emplace_back(one.id, *objects.back().find(CKA_SUBJECT));
    }
    for (const wire::Key &key : list.keys) {
        const auto found = std::find_if(subjects.begin(), subjects.end(),
                                        [&](const auto &one) { return one.first == key.id; });
        const std::string subject = found == subjects.end() ? "" : found->second;
        objects.push_back(public_key(key, subject));
        if (key.usable) objects.push_back(private_key(key, subject));
    }
    return objects;
}

} // namespace demail::module
