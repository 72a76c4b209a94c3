// Keys of a real (SoftHSM) token in OpenSSL: every signature is checked with the public key in
// software.
#include "check.hpp"
#include "crypto/token_key.hpp"
#include "token_world.hpp"

#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

using demail::Handle;
using demail::crypto::KeyUri;
using demail::crypto::TokenKey;
using demail::crypto::TokenUnavailable;
using namespace demail::test;

namespace {

using Reason = TokenUnavailable::Reason;

std::shared_ptr<TokenKey> open(const std::string &object) {
    return TokenKey::open(token_world().uri(object));
}

TokenUnavailable refusal(const KeyUri &uri) {
    try {
        (void)TokenKey::open(uri);
    } catch (const TokenUnavailable &fault) {
        return fault;
    }
    throw Failure{"the key should not have opened", __FILE__, __LINE__};
}

std::string subject(X509 *certificate) {
    char name[64] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name,
                              sizeof name);
    return name;
}

void an_rsa_key_signs_pkcs1() {
    const auto key = open("RSA");
    for (const char *digest : {"SHA256", "SHA384", "SHA512", "SHA2-256"})
        CHECK(text_verifies(key->certificate(), sign_text(key->pkey(), digest), digest));
}

void an_rsa_key_signs_pss_with_any_salt() {
    const auto key = open("RSA");
    for (const int salt : {RSA_PSS_SALTLEN_DIGEST, RSA_PSS_SALTLEN_MAX, 0, 20}) {
        const Pss pss{true, salt};
        CHECK(text_verifies(key->certificate(), sign_text(key->pkey(), "SHA256", pss), "SHA256",
                            pss));
    }
}

void a_signature_of_one_form_is_none_of_another() {
    const auto key = open("RSA");
    const std::string signature = sign_text(key->pkey(), "SHA256");
    CHECK(!text_verifies(key->certificate(), signature, "SHA256", {true, -1}));
    CHECK(!text_verifies(key->certificate(), signature, "SHA512"));
    CHECK(!text_verifies(open("P-256")->certificate(), signature, "SHA256"));
}

void keys_of_every_curve_sign() {
    for (const char *curve : {"P-256", "P-384", "P-521", "brainpoolP256r1"}) {
        const auto key = open(curve);
        for (const char *digest : {"SHA256", "SHA384", "SHA512"}) // longer than the curve, too
            for (int i = 0; i < 8; ++i) // r and s with and without a leading zero
                CHECK(text_verifies(key->certificate(), sign_text(key->pkey(), digest), digest));
    }
}

void a_digest_made_elsewhere_is_signed() {
    const auto key = open("RSA");
    const Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
        EVP_PKEY_CTX_new_from_pkey(nullptr, key->pkey(), nullptr));
    unsigned char digest[32], signature[256];
    std::size_t digest_size = 0, size = sizeof signature;
    CHECK_EQUAL(EVP_Q_digest(nullptr, "SHA256", nullptr, signed_text.data(), signed_text.size(),
                             digest, &digest_size),
                1);
    CHECK_EQUAL(EVP_PKEY_sign_init(context.get()), 1);
    CHECK_EQUAL(EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()), 1);
    CHECK_EQUAL(EVP_PKEY_sign(context.get(), signature, &size, digest, sizeof digest), 1);
    CHECK(text_verifies(key->certificate(), {reinterpret_cast<char *>(signature), size}, "SHA256"));
    CHECK(EVP_PKEY_sign(context.get(), signature, &size, digest, 20) != 1); // no SHA-256
}

void sha1_is_not_signed_and_the_reason_is_told() {
    const auto key = open("RSA");
    CHECK_EQUAL(sign_text(key->pkey(), "SHA1"), "");
    const auto fault = key->take_fault();
    CHECK(fault && std::string(fault->what()).find("SHA-256") != std::string::npos);
    CHECK(!key->take_fault());
    ERR_clear_error();
}

void a_request_and_a_certificate_can_be_signed() {
    for (const char *kind : {"RSA", "P-256"}) {
        const auto key = open(kind);
        const Handle<X509_REQ, X509_REQ_free> request(X509_REQ_new());
        CHECK_EQUAL(X509_REQ_set_pubkey(request.get(), X509_get0_pubkey(key->certificate())), 1);
        CHECK(X509_REQ_sign(request.get(), key->pkey(), EVP_sha256()) > 0);
        CHECK_EQUAL(X509_REQ_verify(request.get(), X509_get0_pubkey(key->certificate())), 1);
    }
}

void key_and_certificate_fit_for_openssl() {
    for (const char *kind : key_kinds) {
        const auto key = open(kind);
        CHECK_EQUAL(X509_check_private_key(key->certificate(), key->pkey()), 1);
        CHECK_EQUAL(subject(key->certificate()), kind);
    }
    CHECK(X509_check_private_key(open("P-256")->certificate(), open("P-384")->pkey()) != 1);
    CHECK(X509_check_private_key(open("RSA")->certificate(), open("P-384")->pkey()) != 1);
    ERR_clear_error();
}

void software_keys_stay_with_the_default_provider() {
    const auto key = open("RSA"); // loads our provider
    const Handle<EVP_KEYMGMT, EVP_KEYMGMT_free> fetched(EVP_KEYMGMT_fetch(nullptr, "RSA", nullptr));
    CHECK_EQUAL(std::string(OSSL_PROVIDER_get0_name(EVP_KEYMGMT_get0_provider(fetched.get()))),
                "default");
    const Key software = make_key("P-256");
    const Certificate certificate = make_certificate(software.get(), {});
    CHECK(text_verifies(certificate.get(), sign_text(software.get(), "SHA256"), "SHA256"));
}

void the_private_half_never_leaves() {
    const auto key = open("RSA");
    BIGNUM *d = nullptr;
    CHECK(EVP_PKEY_get_bn_param(key->pkey(), "d", &d) != 1);
    OSSL_PARAM *all = nullptr;
    CHECK(EVP_PKEY_todata(key->pkey(), EVP_PKEY_KEYPAIR, &all) != 1);
    ERR_clear_error();
}

void an_evp_pkey_that_libssl_keeps_outlives_the_token_key() {
    auto key = open("RSA");
    CHECK_EQUAL(EVP_PKEY_up_ref(key->pkey()), 1);
    const Key kept(key->pkey());
    CHECK_EQUAL(X509_up_ref(key->certificate()), 1);
    const Certificate certificate(key->certificate());
    key.reset();
    CHECK(text_verifies(certificate.get(), sign_text(kept.get(), "SHA256"), "SHA256"));
}

void signing_leaves_openssls_error_queue_empty() {
    const auto key = open("P-256");
    ERR_clear_error();
    CHECK(!sign_text(key->pkey(), "SHA256").empty());
    CHECK_EQUAL(ERR_peek_error(), 0UL);
}

void without_an_object_the_certificate_for_client_authentication_is_taken() {
    CHECK_EQUAL(subject(open("")->certificate()), "P-256");
}

void a_key_is_found_by_its_id() {
    KeyUri uri = token_world().uri("");
    uri.id = "\x03";
    CHECK_EQUAL(subject(TokenKey::open(uri)->certificate()), "P-384");
}

void the_chain_leads_upwards_without_the_root() {
    const auto key = open("RSA");
    CHECK_EQUAL(key->chain().size(), 1U);
    CHECK_EQUAL(X509_cmp(key->chain().front().get(), token_world().middle.get()), 0);
}

void a_token_that_is_not_there_is_absent() {
    KeyUri uri = token_world().uri("RSA");
    uri.token = "other";
    const TokenUnavailable fault = refusal(uri);
    CHECK(fault.reason() == Reason::absent);
    CHECK(std::string(fault.what()).find("\"other\"") != std::string::npos);
}

void an_object_that_is_not_there_is_no_key() {
    CHECK(refusal(token_world().uri("nothing")).reason() == Reason::no_key);
}

void a_module_that_is_not_there_is_named() {
    KeyUri uri = token_world().uri("RSA");
    uri.module_path = "/nonexistent/module.so";
    CHECK(refusal(uri).reason() == Reason::module);
    CHECK(std::string(refusal(uri).what()).find("/nonexistent/module.so") != std::string::npos);
    uri.module_path.reset(); // the project's own module, which this build tree does not hold
    CHECK(std::string(refusal(uri).what()).find("demail-tcos-pkcs11.so") != std::string::npos);
}

void a_library_that_is_no_module_is_refused() {
    KeyUri uri = token_world().uri("RSA");
    uri.module_path = "libcrypto.so.3"; // parse() lets only absolute paths through
    CHECK(refusal(uri).reason() == Reason::module);
}

} // namespace

int main() {
    return run(
        "token_key",
        {TEST(an_rsa_key_signs_pkcs1), TEST(an_rsa_key_signs_pss_with_any_salt),
         TEST(a_signature_of_one_form_is_none_of_another), TEST(keys_of_every_curve_sign),
         TEST(a_digest_made_elsewhere_is_signed), TEST(sha1_is_not_signed_and_the_reason_is_told),
         TEST(a_request_and_a_certificate_can_be_signed), TEST(key_and_certificate_fit_for_openssl),
         TEST(software_keys_stay_with_the_default_provider), TEST(the_private_half_never_leaves),
         TEST(an_evp_pkey_that_libssl_keeps_outlives_the_token_key),
         TEST(signing_leaves_openssls_error_queue_empty),
         TEST(without_an_object_the_certificate_for_client_authentication_is_taken),
         TEST(a_key_is_found_by_its_id), TEST(the_chain_leads_upwards_without_the_root),
         TEST(a_token_that_is_not_there_is_absent), TEST(an_object_that_is_not_there_is_no_key),
         TEST(a_module_that_is_not_there_is_named), TEST(a_library_that_is_no_module_is_refused)});
}
