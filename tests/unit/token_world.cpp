#include "token_world.hpp"

#include "check.hpp"

#include <openssl/rsa.h>

namespace demail::test {
namespace {

using DigestContext = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;

const unsigned char *bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char *>(text.data());
}

void choose_padding(EVP_PKEY_CTX *context, Pss pss) {
    if (!pss.wanted) return;
    CHECK_EQUAL(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING), 1);
    CHECK_EQUAL(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, pss.salt), 1);
}

} // namespace

TokenWorld::TokenWorld() {
    pin_file = tokens.write_file("pin", "123456\n");
    tokens.add_token("firm", "123456");
    CertificateWish ca;
    ca.ca = true;
    ca.common_name = "root";
    const Key root_key = make_key("P-256");
    root = make_certificate(root_key.get(), ca);
    ca.common_name = "middle";
    const Key middle_key = make_key("P-256");
    middle = make_certificate(middle_key.get(), ca, root.get(), root_key.get());
    unsigned id = 1;
    for (const char *kind : key_kinds) {
        const Key key = make_key(kind);
        CertificateWish wish;
        wish.common_name = kind;
        if (id != 2) wish.extended_key_usage = "emailProtection"; // only P-256 may sign in
        const Certificate certificate =
            make_certificate(key.get(), wish, middle.get(), middle_key.get());
        const std::string number = "0" + std::to_string(id++);
        tokens.add_key("firm", "123456", kind, number, key.get());
        tokens.add_certificate("firm", "123456", kind, number, certificate.get());
    }
    tokens.add_certificate("firm", "123456", "middle", "a0", middle.get());
    tokens.add_certificate("firm", "123456", "root", "a1", root.get());
}

crypto::KeyUri TokenWorld::uri(const std::string &object) const {
    crypto::KeyUri uri;
    uri.token = "firm";
    if (!object.empty()) uri.object = object;
    uri.module_path = SoftTokens::module_path();
    uri.pin_file = pin_file;
    return uri;
}

TokenWorld &token_world() {
    static TokenWorld world;
    return world;
}

std::string sign_text(EVP_PKEY *key, const char *digest, Pss pss) {
    const DigestContext context(EVP_MD_CTX_new());
    EVP_PKEY_CTX *inner = nullptr;
    if (EVP_DigestSignInit_ex(context.get(), &inner, digest, nullptr, nullptr, key, nullptr) != 1)
        return "";
    choose_padding(inner, pss);
    std::size_t size = 0;
    CHECK_EQUAL(
        EVP_DigestSign(context.get(), nullptr, &size, bytes(signed_text), signed_text.size()), 1);
    std::string signature(size, '\0');
    if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char *>(signature.data()), &size,
                       bytes(signed_text), signed_text.size()) != 1)
        return "";
    signature.resize(size);
    return signature;
}

bool text_verifies(X509 *certificate, const std::string &signature, const char *digest, Pss pss) {
    const DigestContext context(EVP_MD_CTX_new());
    EVP_PKEY_CTX *inner = nullptr;
    CHECK_EQUAL(EVP_DigestVerifyInit_ex(context.get(), &inner, digest, nullptr, nullptr,
                                        X509_get0_pubkey(certificate), nullptr),
                1);
    choose_padding(inner, pss);
    return EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(signed_text),
                            signed_text.size()) == 1;
}

} // namespace demail::test
