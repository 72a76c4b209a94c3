// Decrypting and digests through the module, and several operations in one session.
#include "check.hpp"
#include "pkcs11_session.hpp"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include <string>

namespace {

using namespace demail;
using namespace demail::test;

std::string encrypted(EVP_PKEY *key, const std::string &data, const EVP_MD *oaep) {
    const Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(EVP_PKEY_CTX_new(key, nullptr));
    CHECK_EQUAL(EVP_PKEY_encrypt_init(context.get()), 1);
    if (oaep != nullptr) {
        CHECK_EQUAL(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING), 1);
        CHECK_EQUAL(EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), oaep), 1);
    }
    std::string out(256, '\0');
    std::size_t size = out.size();
    CHECK_EQUAL(EVP_PKEY_encrypt(context.get(), bytes_of(out), &size,
                                 reinterpret_cast<const unsigned char *>(data.data()), data.size()),
                1);
    return out;
}

void what_was_encrypted_for_the_card_is_opened() {
    const Session session;
    EVP_PKEY *const key = session.world.card.enc_key();
    ck_rsa_pkcs_oaep_params sha1{CKM_SHA_1, CKG_MGF1_SHA1, 0, nullptr, 0};
    ck_rsa_pkcs_oaep_params sha256{CKM_SHA256, CKG_MGF1_SHA256, 1, nullptr, 0};
    const auto opened = [&](CK_MECHANISM mechanism, std::string data) {
        CHECK_OK(session.p11->C_DecryptInit(session.handle, &mechanism, session.enc_key));
        std::string out(256, '\0');
        CK_ULONG size = out.size();
        const CK_RV rv = session.p11->C_Decrypt(session.handle, bytes_of(data), data.size(),
                                                bytes_of(out), &size);
        return rv == CKR_OK ? out.substr(0, size) : rv_name(rv);
    };
    CHECK_EQUAL(opened(plain(CKM_RSA_PKCS), encrypted(key, "a key", nullptr)), "a key");
    CHECK_EQUAL(
        opened({CKM_RSA_PKCS_OAEP, &sha1, sizeof sha1}, encrypted(key, "a key", EVP_sha1())),
        "a key");
    const std::string secret = encrypted(key, "a key", EVP_sha256());
    CHECK_EQUAL(opened({CKM_RSA_PKCS_OAEP, &sha256, sizeof sha256}, secret), "a key");
    CHECK_EQUAL(opened({CKM_RSA_PKCS_OAEP, &sha1, sizeof sha1}, secret),
                "CKR_ENCRYPTED_DATA_INVALID");
    CHECK_EQUAL(opened(plain(CKM_RSA_PKCS), secret.substr(1)), "CKR_ENCRYPTED_DATA_LEN_RANGE");
    CHECK_EQUAL(opened(plain(CKM_RSA_PKCS), secret + "x"), "CKR_ENCRYPTED_DATA_LEN_RANGE");
}

void a_plaintext_that_did_not_fit_is_kept() {
    const Session session;
    CK_MECHANISM mechanism = plain(CKM_RSA_PKCS);
    std::string data = encrypted(session.world.card.enc_key(), "a longer key", nullptr);
    CHECK_OK(session.p11->C_DecryptInit(session.handle, &mechanism, session.enc_key));
    std::string out(256, '\0');
    CK_ULONG size = 0;
    CHECK_OK(session.p11->C_Decrypt(session.handle, bytes_of(data), data.size(), nullptr, &size));
    CHECK_EQUAL(size, 256U);
    size = 5;
    CHECK_RV(
        session.p11->C_Decrypt(session.handle, bytes_of(data), data.size(), bytes_of(out), &size),
        CKR_BUFFER_TOO_SMALL);
    CHECK_EQUAL(size, 12U);
    CHECK_OK(
        session.p11->C_Decrypt(session.handle, bytes_of(data), data.size(), bytes_of(out), &size));
    CHECK_EQUAL(out.substr(0, size), "a longer key");
    CHECK_EQUAL(session.world.card.card_operations(), 1);
}

void a_secret_may_come_in_parts() {
    const Session session;
    CK_MECHANISM mechanism = plain(CKM_RSA_PKCS);
    std::string data = encrypted(session.world.card.enc_key(), "a key", nullptr);
    CHECK_OK(session.p11->C_DecryptInit(session.handle, &mechanism, session.enc_key));
    std::string out(256, '\0');
    CK_ULONG size = out.size();
    CHECK_OK(
        session.p11->C_DecryptUpdate(session.handle, bytes_of(data), 100, bytes_of(out), &size));
    CHECK_EQUAL(size, 0U);
    CHECK_OK(session.p11->C_DecryptUpdate(session.handle, bytes_of(data) + 100, 156, bytes_of(out),
                                          &size));
    size = out.size();
    CHECK_OK(session.p11->C_DecryptFinal(session.handle, bytes_of(out), &size));
    CHECK_EQUAL(out.substr(0, size), "a key");
}

void digests_are_those_of_the_standard() {
    const Session session;
    CK_MECHANISM mechanism = plain(CKM_SHA256);
    std::string data = "abc", digest(32, '\0'), expected(32, '\0');
    EVP_Digest(data.data(), data.size(), bytes_of(expected), nullptr, EVP_sha256(), nullptr);
    CHECK_OK(session.p11->C_DigestInit(session.handle, &mechanism));
    CK_ULONG size = digest.size();
    CHECK_OK(session.p11->C_Digest(session.handle, bytes_of(data), 3, bytes_of(digest), &size));
    CHECK_EQUAL(digest, expected);
    CHECK_OK(session.p11->C_DigestInit(session.handle, &mechanism));
    CHECK_RV(session.p11->C_DigestKey(session.handle, session.key), CKR_KEY_INDIGESTIBLE);
}

void several_operations_run_in_one_session() {
    const Session session;
    CK_MECHANISM sign = plain(CKM_SHA256_RSA_PKCS), digest = plain(CKM_SHA512);
    std::string copy = text, out(256, '\0');
    CHECK_OK(session.p11->C_SignInit(session.handle, &sign, session.key));
    CHECK_OK(session.p11->C_DigestInit(session.handle, &digest));
    CHECK_OK(session.p11->C_FindObjectsInit(session.handle, nullptr, 0));
    CK_ULONG size = out.size();
    CHECK_OK(
        session.p11->C_Digest(session.handle, bytes_of(copy), copy.size(), bytes_of(out), &size));
    CHECK_EQUAL(size, 64U);
    size = out.size();
    CHECK_OK(
        session.p11->C_Sign(session.handle, bytes_of(copy), copy.size(), bytes_of(out), &size));
    CHECK_OK(session.p11->C_FindObjectsFinal(session.handle));
}

void the_program_s_own_openssl_errors_stay_as_they_were() {
    const Session session;
    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 77);
    CK_MECHANISM mechanism = plain(CKM_SHA256_RSA_PKCS);
    std::string copy = text, signature(256, 'x');
    CHECK_OK(session.p11->C_VerifyInit(session.handle, &mechanism, session.public_key));
    CHECK_RV(session.p11->C_Verify(session.handle, bytes_of(copy), copy.size(), bytes_of(signature),
                                   signature.size()),
             CKR_SIGNATURE_INVALID);
    CHECK_EQUAL(ERR_GET_REASON(ERR_get_error()), 77);
    CHECK_EQUAL(ERR_get_error(), 0UL);
}

} // namespace

int main() {
    return demail::test::run(
        "pkcs11 decrypting",
        {TEST(what_was_encrypted_for_the_card_is_opened),
         TEST(a_plaintext_that_did_not_fit_is_kept), TEST(a_secret_may_come_in_parts),
         TEST(digests_are_those_of_the_standard), TEST(several_operations_run_in_one_session),
         TEST(the_program_s_own_openssl_errors_stay_as_they_were)});
}
