// Finding and reading objects of a token (PKCS#11 2.40 5.7, 4.6).
#include "crypto/open_token.hpp"

#include <algorithm>

namespace demail::crypto {
namespace {

constexpr std::size_t most_objects = 512;
constexpr CK_ULONG longest_attribute = 65536;

CK_ATTRIBUTE of_text(CK_ATTRIBUTE_TYPE type, std::string &value) {
    return {type, value.data(), value.size()};
}

} // namespace

std::vector<CK_OBJECT_HANDLE> OpenToken::find(CK_OBJECT_CLASS kind,
                                              const std::optional<std::string> &label,
                                              const std::optional<std::string> &id) {
    std::string label_bytes = label.value_or("");
    std::string id_bytes = id.value_or("");
    std::vector<CK_ATTRIBUTE> wanted{{CKA_CLASS, &kind, sizeof kind}};
    if (label) wanted.push_back(of_text(CKA_LABEL, label_bytes));
    if (id) wanted.push_back(of_text(CKA_ID, id_bytes));
    expect_ok((*module_)->C_FindObjectsInit(session_, wanted.data(), wanted.size()),
              "C_FindObjectsInit");
    std::vector<CK_OBJECT_HANDLE> found;
    CK_RV result = CKR_OK;
    while (found.size() < most_objects) {
        CK_OBJECT_HANDLE some[32];
        CK_ULONG count = 0;
        result = (*module_)->C_FindObjects(session_, some, 32, &count);
        if (result != CKR_OK || count == 0) break;
        found.insert(found.end(), some, some + std::min<CK_ULONG>(count, 32));
    }
    (void)(*module_)->C_FindObjectsFinal(session_);
    expect_ok(result, "C_FindObjects");
    // A session that was logged out behind our back shows no private key and reports no error.
    if (found.empty() && kind == CKO_PRIVATE_KEY && needs_login_ && !is_logged_in())
        throw CkError{CKR_USER_NOT_LOGGED_IN, "C_FindObjects"};
    return found;
}

std::optional<std::string> OpenToken::attribute(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
    const auto kept_back = [](CK_RV result) {
        return result == CKR_ATTRIBUTE_TYPE_INVALID || result == CKR_ATTRIBUTE_SENSITIVE;
    };
    CK_ATTRIBUTE wanted{type, nullptr, 0};
    CK_RV result = (*module_)->C_GetAttributeValue(session_, object, &wanted, 1);
    if (kept_back(result)) return std::nullopt;
    expect_ok(result, "C_GetAttributeValue");
    if (wanted.ulValueLen > longest_attribute)
        return std::nullopt; // CK_UNAVAILABLE_INFORMATION too
    std::string value(wanted.ulValueLen, '\0');
    if (value.empty()) return value;
    wanted.pValue = value.data();
    result = (*module_)->C_GetAttributeValue(session_, object, &wanted, 1);
    if (kept_back(result)) return std::nullopt;
    expect_ok(result, "C_GetAttributeValue");
    value.resize(std::min<std::size_t>(wanted.ulValueLen, value.size()));
    return value;
}

std::vector<TokenCertificate> OpenToken::certificates() {
    std::vector<TokenCertificate> certificates;
    for (const CK_OBJECT_HANDLE object : find(CKO_CERTIFICATE, std::nullopt, std::nullopt)) {
        const auto der = attribute(object, CKA_VALUE);
        if (!der || der->empty()) continue;
        const auto *bytes = reinterpret_cast<const unsigned char *>(der->data());
        Handle<X509, X509_free> certificate(
            d2i_X509(nullptr, &bytes, static_cast<long>(der->size())));
        if (!certificate) continue;
        certificates.push_back({attribute(object, CKA_LABEL).value_or(""),
                                attribute(object, CKA_ID).value_or(""), std::move(certificate)});
    }
    return certificates;
}

} // namespace demail::crypto
