#include "crypto/certificate_choice.hpp"

#include "base/certificate_time.hpp"
#include "base/handle.hpp"

#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

namespace demail::crypto {
namespace {

// id-ms-smartcard-logon is what German corporate cards carry in place of clientAuth.
struct ExtendedUse {
    int nid;
    const char *text;
};
constexpr ExtendedUse extended_uses[] = {
    {NID_client_auth, "clientAuth"}, {NID_ms_smartcard_login, "smartcardLogon"},
    {NID_server_auth, "serverAuth"}, {NID_email_protect, "emailProtection"},
    {NID_code_sign, "codeSigning"},  {NID_time_stamp, "timeStamping"},
    {NID_OCSP_sign, "OCSPSigning"},  {NID_anyExtendedKeyUsage, "any"}};

struct KeyUse {
    std::uint32_t bit;
    const char *text;
};
constexpr KeyUse key_uses[] = {{KU_DIGITAL_SIGNATURE, "digitalSignature"},
                               {KU_NON_REPUDIATION, "nonRepudiation"},
                               {KU_KEY_ENCIPHERMENT, "keyEncipherment"},
                               {KU_DATA_ENCIPHERMENT, "dataEncipherment"},
                               {KU_KEY_AGREEMENT, "keyAgreement"},
                               {KU_KEY_CERT_SIGN, "keyCertSign"},
                               {KU_CRL_SIGN, "cRLSign"}};

void add(std::string &list, std::string_view word) {
    if (!list.empty()) list += ", ";
    list += word;
}

using ExtendedUses = Handle<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>;

ExtendedUses extended_uses_of(X509 *certificate) {
    return ExtendedUses(static_cast<EXTENDED_KEY_USAGE *>(
        X509_get_ext_d2i(certificate, NID_ext_key_usage, nullptr, nullptr)));
}

bool holds(const EXTENDED_KEY_USAGE *uses, int nid) {
    for (int i = 0; i < sk_ASN1_OBJECT_num(uses); ++i)
        if (OBJ_obj2nid(sk_ASN1_OBJECT_value(uses, i)) == nid) return true;
    return false;
}

std::string oid_text(const ASN1_OBJECT *object) {
    const int nid = OBJ_obj2nid(object);
    for (const ExtendedUse &use : extended_uses)
        if (use.nid == nid) return use.text;
    char text[80];
    OBJ_obj2txt(text, sizeof text, object, 1);
    return text;
}

bool key_usage_present(X509 *certificate) {
    return (X509_get_extension_flags(certificate) & EXFLAG_KUSAGE) != 0;
}

std::string uses_text(X509 *certificate, const EXTENDED_KEY_USAGE *extended) {
    std::string text;
    const std::uint32_t bits = key_usage_present(certificate) ? X509_get_key_usage(certificate) : 0;
    for (const KeyUse &use : key_uses)
        if ((bits & use.bit) != 0) add(text, use.text);
    for (int i = 0; i < sk_ASN1_OBJECT_num(extended); ++i)
        add(text, oid_text(sk_ASN1_OBJECT_value(extended, i)));
    return text;
}

struct Verdict {
    int rank;
    std::string reason;
};

bool has_begun(X509 *certificate, std::time_t now) {
    return X509_cmp_time(X509_get0_notBefore(certificate), &now) == -1;
}

bool has_not_ended(X509 *certificate, std::time_t now) {
    return X509_cmp_time(X509_get0_notAfter(certificate), &now) == 1;
}

Verdict by_use(X509 *certificate, const EXTENDED_KEY_USAGE *extended) {
    const bool may_sign = !key_usage_present(certificate) ||
                          (X509_get_key_usage(certificate) & KU_DIGITAL_SIGNATURE) != 0;
    if (!may_sign) return {0, "its key usage has no digitalSignature"};
    if (extended == nullptr) {
        if (!key_usage_present(certificate)) return {1, "it names no use, so any is allowed"};
        return {2, "it is for digitalSignature and names no extended use"};
    }
    if (holds(extended, NID_client_auth)) return {5, "it is for clientAuth"};
    if (holds(extended, NID_ms_smartcard_login)) return {4, "it is for smartcardLogon"};
    if (holds(extended, NID_anyExtendedKeyUsage)) return {3, "it allows any extended use"};
    return {0, "its extended key usage allows neither clientAuth nor smartcardLogon"};
}

Verdict verdict(X509 *certificate, const EXTENDED_KEY_USAGE *extended, HasKey key,
                std::time_t now) {
    if (X509_check_ca(certificate) == 1) return {0, "it is a CA certificate"};
    if (key == HasKey::no) return {0, "the token has no private key for it"};
    if (!has_not_ended(certificate, now))
        return {0, fmt::format("it expired on {}",
                               date_text(time_of(X509_get0_notAfter(certificate))))};
    if (!has_begun(certificate, now))
        return {0, fmt::format("it is not valid before {}",
                               date_text(time_of(X509_get0_notBefore(certificate))))};
    return by_use(certificate, extended);
}

} // namespace

Suitability judge(X509 *certificate, HasKey key, std::time_t now) {
    const ExtendedUses extended = extended_uses_of(certificate);
    Verdict judged = verdict(certificate, extended.get(), key, now);
    if ((X509_get_extension_flags(certificate) & EXFLAG_INVALID) != 0)
        judged = {0, "its extensions cannot be read"};
    return {judged.rank, std::move(judged.reason), uses_text(certificate, extended.get()),
            time_of(X509_get0_notAfter(certificate)),
            has_begun(certificate, now) && has_not_ended(certificate, now)};
}

std::optional<std::size_t> choose(const std::vector<Suitability> &candidates) {
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const Suitability &one = candidates[i];
        if (one.rank == 0) continue;
        if (!best || one.rank > candidates[*best].rank ||
            (one.rank == candidates[*best].rank && one.until > candidates[*best].until))
            best = i;
    }
    return best;
}

std::string name_text(const X509_NAME *name) {
    const Handle<BIO, BIO_free> memory(BIO_new(BIO_s_mem()));
    if (!memory ||
        X509_NAME_print_ex(memory.get(), name, 0,
                           XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB)) < 0)
        return "";
    char *text = nullptr;
    const long size = BIO_get_mem_data(memory.get(), &text);
    return std::string(text, static_cast<std::size_t>(size));
}

} // namespace demail::crypto
