// Keys of a real (SoftHSM) token in OpenSSL: every signature is checked with the public key in
// software.
#include "check.hpp"
#include "crypto/token_key.hpp"
#include "soft_token.hpp"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include <atomic>
#include <thread>

using demail::Handle;
using demail::crypto::KeyUri;
using demail::crypto::TokenKey;
using demail::crypto::TokenUnavailable;
using namespace demail::test;

namespace {

struct World {
    SoftTokens tokens;
    std::string pin_file = tokens.write_file("pin", "123456\n");

    World() {
        tokens.add_token("firm", "123456");
        unsigned id = 1;
        const Key ca_key = make_key("P-256");
        CertificateWish ca;
        ca.ca = true;
        ca.common_name = "root";
        const Certificate root = make_certificate(ca_key.get(), ca);
        const Key middle_key = make_key("P-256");
        ca.common_name = "middle";
        const Certificate middle = make_certificate(middle_key.get(), ca, root.get(), ca_key.get());
        for (const char *kind : {"RSA", "P-256", "P-384", "P-521", "brainpoolP256r1"}) {
            const Key key = make_key(kind);
            CertificateWish wish;
            wish.common_name = kind;
            const Certificate certificate =
                make_certificate(key.get(), wish, middle.get(), middle_key.get());
            const std::string number = "0" + std::to_string(id++);
            tokens.add_key("firm", "123456", kind, number, key.get());
            tokens.add_certificate("firm", "123456", kind, number, certificate.get());
        }
        tokens.add_certificate("firm", "123456", "middle", "a0", middle.get());
        tokens.add_certificate("firm", "123456", "root", "a1", root.get());
    }

    [[nodiscard]] KeyUri uri(const std::string &object) const {
        KeyUri uri;
        uri.token = "firm";
        if (!object.empty()) uri.object = object;
        uri.module_path = SoftTokens::module_path();
        uri.pin_file = pin_file;
        return uri;
    }
};

World &world() {
    static World one;
    return one;
}

constexpr std::string_view text = "Sehr geehrte Damen und Herren";

std::string sign(EVP_PKEY *key, const char *digest, bool pss = false, int salt = -1) {
    const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    EVP_PKEY_CTX *inner = nullptr;
    CHECK_EQUAL(
        EVP_DigestSignInit_ex(context.get(), &inner, digest, nullptr, nullptr, key, nullptr), 1);
    if (pss) {
        CHECK_EQUAL(EVP_PKEY_CTX_set_rsa_padding(inner, RSA_PKCS1_PSS_PADDING), 1);
        CHECK_EQUAL(EVP_PKEY_CTX_set_rsa_pss_saltlen(inner, salt), 1);
    }
    const auto *bytes = reinterpret_cast<const unsigned char *>(text.data());
    std::size_t size = 0;
    CHECK_EQUAL(EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()), 1);
    std::string signature(size, '\0');
    if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char *>(signature.data()), &size,
                       bytes, text.size()) != 1)
        return "";
    signature.resize(size);
    return signature;
}

bool verify(X509 *certificate, const std::string &signature, const char *digest, bool pss = false,
            int salt = -1) {
    const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    EVP_PKEY_CTX *inner = nullptr;
    CHECK_EQUAL(EVP_DigestVerifyInit_ex(context.get(), &inner, digest, nullptr, nullptr,
                                        X509_get0_pubkey(certificate), nullptr),
                1);
    if (pss) {
        CHECK_EQUAL(EVP_PKEY_CTX_set_rsa_padding(inner, RSA_PKCS1_PSS_PADDING), 1);
        CHECK_EQUAL(EVP_PKEY_CTX_set_rsa_pss_saltlen(inner, salt), 1);
    }
    return EVP_DigestVerify(context.get(),
                            reinterpret_cast<const unsigned char *>(signature.data()),
                            signature.size(), reinterpret_cast<const unsigned char *>(text.data()),
                            text.size()) == 1;
}

void an_rsa_key_signs_pkcs1() {
    const auto key = TokenKey::open(world().uri("RSA"));
    for (const char *digest : {"SHA256", "SHA384", "SHA512", "SHA2-256"})
        CHECK(verify(key->certificate(), sign(key->pkey(), digest), digest));
}

} // namespace

int main() {
    return run("token_key", {TEST(an_rsa_key_signs_pkcs1)});
}
