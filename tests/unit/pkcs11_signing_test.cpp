// Signing and checking through the module: what comes out is right, and the rules of PKCS#11 about
// buffers and operations hold.
#include "check.hpp"
#include "pkcs11_session.hpp"

#include <openssl/rsa.h>

#include <string>

namespace {

using namespace demail;
using namespace demail::test;

/// By libcrypto, without a line of the module.
bool good(EVP_PKEY *key, const EVP_MD *digest, std::string signature, const std::string &data,
          int salt = -1) {
    const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    EVP_PKEY_CTX *parameters = nullptr;
    CHECK_EQUAL(EVP_DigestVerifyInit(context.get(), &parameters, digest, nullptr, key), 1);
    if (salt >= 0) {
        CHECK_EQUAL(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING), 1);
        CHECK_EQUAL(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, salt), 1);
    }
    return EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(),
                            reinterpret_cast<const unsigned char *>(data.data()), data.size()) == 1;
}

void a_message_signed_whole_or_in_parts_verifies() {
    const Session session;
    EVP_PKEY *const key = session.world.card.auth_key();
    const auto check = [&](CK_MECHANISM_TYPE type, const EVP_MD *digest) {
        CK_MECHANISM mechanism = plain(type);
        CHECK(good(key, digest, session.world.sign(session.handle, mechanism, session.key, text),
                   text));
        CHECK_OK(session.p11->C_SignInit(session.handle, &mechanism, session.key));
        std::string copy = text, signature(256, '\0');
        for (char &octet : copy)
            CHECK_OK(
                session.p11->C_SignUpdate(session.handle, reinterpret_cast<CK_BYTE *>(&octet), 1));
        CK_ULONG size = signature.size();
        CHECK_OK(session.p11->C_SignFinal(session.handle, bytes_of(signature), &size));
        CHECK(good(key, digest, signature, text));
    };
    check(CKM_SHA256_RSA_PKCS, EVP_sha256());
    check(CKM_SHA384_RSA_PKCS, EVP_sha384());
    check(CKM_SHA512_RSA_PKCS, EVP_sha512());
}

void pss_signatures_verify_with_the_salt_that_was_asked_for() {
    const Session session;
    EVP_PKEY *const key = session.world.card.auth_key();
    for (const unsigned long salt : {0UL, 32UL, 48UL}) {
        CK_RSA_PKCS_PSS_PARAMS parameters{CKM_SHA256, CKG_MGF1_SHA256, salt};
        const CK_MECHANISM mechanism{CKM_SHA256_RSA_PKCS_PSS, &parameters, sizeof parameters};
        const std::string signature =
            session.world.sign(session.handle, mechanism, session.key, text);
        CHECK(good(key, EVP_sha256(), signature, text, static_cast<int>(salt)));
        CHECK(!good(key, EVP_sha256(), signature, text, static_cast<int>(salt) + 1));
    }
}

void a_digest_made_by_the_caller_is_signed_as_it_is() {
    const Session session;
    EVP_PKEY *const key = session.world.card.auth_key();
    std::string digest(32, '\0');
    EVP_Digest(text.data(), text.size(), bytes_of(digest), nullptr, EVP_sha256(), nullptr);
    CK_RSA_PKCS_PSS_PARAMS parameters{CKM_SHA256, CKG_MGF1_SHA256, 32};
    CHECK(
        good(key, EVP_sha256(),
             session.world.sign(session.handle, {CKM_RSA_PKCS_PSS, &parameters, sizeof parameters},
                                session.key, digest),
             text, 32));
    // RFC 8017 9.2, note 1.
    const std::string info(
        "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04"
        "\x20",
        19);
    CHECK(good(key, EVP_sha256(),
               session.world.sign(session.handle, plain(CKM_RSA_PKCS), session.key, info + digest),
               text));
}

void what_does_not_fit_is_refused_before_the_card_is_asked() {
    const Session session;
    CK_RSA_PKCS_PSS_PARAMS pss{CKM_SHA256, CKG_MGF1_SHA256, 32};
    const auto refusal = [&](CK_MECHANISM mechanism, std::size_t size) {
        return session.world.sign(session.handle, mechanism, session.key, std::string(size, 'x'));
    };
    CHECK_EQUAL(refusal(plain(CKM_RSA_PKCS), 246), "CKR_DATA_LEN_RANGE");
    CHECK_EQUAL(refusal(plain(CKM_RSA_PKCS), 10000), "CKR_DATA_LEN_RANGE");
    CHECK_EQUAL(refusal({CKM_RSA_PKCS_PSS, &pss, sizeof pss}, 31), "CKR_DATA_LEN_RANGE");
    pss.sLen = 223;
    CHECK_EQUAL(refusal({CKM_RSA_PKCS_PSS, &pss, sizeof pss}, 32), "CKR_KEY_SIZE_RANGE");
    CHECK_EQUAL(session.world.card.card_operations(), 0);
    CHECK_EQUAL(refusal(plain(CKM_RSA_PKCS), 245).size(), 256U);
    pss.sLen = 222;
    CHECK_EQUAL(refusal({CKM_RSA_PKCS_PSS, &pss, sizeof pss}, 32).size(), 256U);
}

void mechanisms_and_parameters_that_are_not_ours_are_refused() {
    const Session session;
    const auto refusal = [&](CK_MECHANISM mechanism) {
        return rv_name(session.p11->C_SignInit(session.handle, &mechanism, session.key));
    };
    // Raw RSA above all; SHA-1 and MD5 are no ground for a signature any more.
    for (const CK_MECHANISM_TYPE type :
         {CKM_RSA_X_509, CKM_SHA1_RSA_PKCS, CKM_MD5_RSA_PKCS, CKM_ECDSA, CKM_SHA256})
        CHECK_EQUAL(refusal(plain(type)), "CKR_MECHANISM_INVALID");
    CK_RSA_PKCS_PSS_PARAMS pss{CKM_SHA_1, CKG_MGF1_SHA1, 20};
    CHECK_EQUAL(refusal({CKM_RSA_PKCS_PSS, &pss, sizeof pss}), "CKR_MECHANISM_PARAM_INVALID");
    pss = {CKM_SHA256, 99, 32};
    CHECK_EQUAL(refusal({CKM_RSA_PKCS_PSS, &pss, sizeof pss}), "CKR_MECHANISM_PARAM_INVALID");
    pss = {CKM_SHA256, CKG_MGF1_SHA256, ~0UL};
    CHECK_EQUAL(refusal({CKM_RSA_PKCS_PSS, &pss, sizeof pss}), "CKR_MECHANISM_PARAM_INVALID");
    pss = {CKM_SHA256, CKG_MGF1_SHA256, 32};
    CHECK_EQUAL(refusal({CKM_RSA_PKCS_PSS, &pss, sizeof pss - 1}), "CKR_MECHANISM_PARAM_INVALID");
    CHECK_EQUAL(refusal({CKM_RSA_PKCS_PSS, nullptr, sizeof pss}), "CKR_MECHANISM_PARAM_INVALID");
    CHECK_EQUAL(refusal({CKM_SHA384_RSA_PKCS_PSS, &pss, sizeof pss}),
                "CKR_MECHANISM_PARAM_INVALID");
    CHECK_EQUAL(refusal({CKM_SHA256_RSA_PKCS, &pss, sizeof pss}), "CKR_MECHANISM_PARAM_INVALID");
}

void what_the_module_offers_is_what_it_takes() {
    const Session session;
    CK_ULONG count = 0;
    CHECK_OK(session.p11->C_GetMechanismList(Pkcs11World::slot, nullptr, &count));
    std::vector<CK_MECHANISM_TYPE> types(count);
    CHECK_OK(session.p11->C_GetMechanismList(Pkcs11World::slot, types.data(), &count));
    CHECK_EQUAL(count, 12U);
    for (const CK_MECHANISM_TYPE type : types) {
        CK_MECHANISM_INFO info{};
        CHECK_OK(session.p11->C_GetMechanismInfo(Pkcs11World::slot, type, &info));
        if ((info.flags & CKF_SIGN) == 0) continue;
        CK_RSA_PKCS_PSS_PARAMS pss{CKM_SHA256, CKG_MGF1_SHA256, 32};
        if (type == CKM_SHA384_RSA_PKCS_PSS) pss.hashAlg = CKM_SHA384;
        if (type == CKM_SHA512_RSA_PKCS_PSS) pss.hashAlg = CKM_SHA512;
        const bool is_pss = type == CKM_RSA_PKCS_PSS || pss.hashAlg != CKM_SHA256 ||
                            type == CKM_SHA256_RSA_PKCS_PSS;
        const std::string signature = session.world.sign(
            session.handle, is_pss ? CK_MECHANISM{type, &pss, sizeof pss} : plain(type),
            session.key, std::string(32, 'd'));
        CHECK_EQUAL(signature.size(), 256U);
    }
}

void a_key_does_only_what_it_is_for() {
    const Session session;
    CK_MECHANISM sign = plain(CKM_SHA256_RSA_PKCS), decrypt = plain(CKM_RSA_PKCS);
    CHECK_RV(session.p11->C_SignInit(session.handle, &sign, session.enc_key),
             CKR_KEY_FUNCTION_NOT_PERMITTED);
    CHECK_RV(session.p11->C_DecryptInit(session.handle, &decrypt, session.key),
             CKR_KEY_FUNCTION_NOT_PERMITTED);
    CHECK_RV(session.p11->C_SignInit(session.handle, &sign, session.public_key),
             CKR_KEY_TYPE_INCONSISTENT);
    CHECK_RV(session.p11->C_SignInit(session.handle, &sign, 77777), CKR_KEY_HANDLE_INVALID);
    const CK_OBJECT_HANDLE certificate =
        session.world.object(session.handle, CKO_CERTIFICATE, "demail-auth");
    CHECK_RV(session.p11->C_SignInit(session.handle, &sign, certificate), CKR_KEY_HANDLE_INVALID);
}

void asking_for_the_length_and_a_small_buffer_keep_the_operation() {
    const Session session;
    CK_MECHANISM mechanism = plain(CKM_SHA256_RSA_PKCS);
    CHECK_OK(session.p11->C_SignInit(session.handle, &mechanism, session.key));
    std::string copy = text, signature(256, '\xab');
    CK_ULONG size = 0;
    CHECK_OK(session.p11->C_Sign(session.handle, bytes_of(copy), copy.size(), nullptr, &size));
    CHECK_EQUAL(size, 256U);
    size = 255;
    CHECK_RV(session.p11->C_Sign(session.handle, bytes_of(copy), copy.size(), bytes_of(signature),
                                 &size),
             CKR_BUFFER_TOO_SMALL);
    CHECK_EQUAL(size, 256U);
    CHECK_EQUAL(signature, std::string(256, '\xab'));
    CHECK_EQUAL(session.world.card.card_operations(), 0);
    CHECK_OK(session.p11->C_Sign(session.handle, bytes_of(copy), copy.size(), bytes_of(signature),
                                 &size));
    CHECK(good(session.world.card.auth_key(), EVP_sha256(), signature, text));
    CHECK_RV(session.p11->C_Sign(session.handle, bytes_of(copy), copy.size(), bytes_of(signature),
                                 &size),
             CKR_OPERATION_NOT_INITIALIZED);
}

void whole_and_in_parts_do_not_mix() {
    const Session session;
    CK_MECHANISM mechanism = plain(CKM_SHA256_RSA_PKCS);
    std::string copy = text, signature(256, '\0');
    CK_ULONG size = signature.size();
    CHECK_OK(session.p11->C_SignInit(session.handle, &mechanism, session.key));
    CHECK_RV(session.p11->C_SignInit(session.handle, &mechanism, session.key),
             CKR_OPERATION_ACTIVE);
    CHECK_OK(session.p11->C_SignUpdate(session.handle, bytes_of(copy), 5));
    CHECK_RV(session.p11->C_Sign(session.handle, bytes_of(copy), copy.size(), bytes_of(signature),
                                 &size),
             CKR_OPERATION_ACTIVE);
    CHECK_RV(session.p11->C_SignFinal(session.handle, bytes_of(signature), &size),
             CKR_OPERATION_NOT_INITIALIZED);
}

void a_failure_of_the_card_ends_the_operation_and_not_the_session() {
    Session session;
    session.world.card.fail_next(1, CKR_DEVICE_ERROR);
    CHECK_EQUAL(session.world.sign(session.handle, plain(CKM_SHA256_RSA_PKCS), session.key, text),
                "CKR_DEVICE_ERROR");
    CHECK_EQUAL(
        session.world.sign(session.handle, plain(CKM_SHA256_RSA_PKCS), session.key, text).size(),
        256U);
}

void who_logs_out_amid_a_signature_gets_none() {
    const Session session;
    CK_MECHANISM mechanism = plain(CKM_SHA256_RSA_PKCS);
    CHECK_OK(session.p11->C_SignInit(session.handle, &mechanism, session.key));
    CHECK_OK(session.p11->C_Logout(session.handle));
    std::string copy = text, signature(256, '\0');
    CK_ULONG size = signature.size();
    CHECK_RV(session.p11->C_Sign(session.handle, bytes_of(copy), copy.size(), bytes_of(signature),
                                 &size),
             CKR_USER_NOT_LOGGED_IN);
    CHECK_EQUAL(session.world.card.card_operations(), 0);
}

void a_signature_is_checked_by_the_public_key() {
    const Session session;
    CK_RSA_PKCS_PSS_PARAMS pss{CKM_SHA256, CKG_MGF1_SHA256, 32};
    for (CK_MECHANISM mechanism :
         {plain(CKM_RSA_PKCS), plain(CKM_SHA256_RSA_PKCS), plain(CKM_SHA512_RSA_PKCS),
          CK_MECHANISM{CKM_SHA256_RSA_PKCS_PSS, &pss, sizeof pss}}) {
        std::string signature = session.world.sign(session.handle, mechanism, session.key, text);
        const auto verify = [&](std::string data, const std::string &over) {
            std::string copy = over;
            CHECK_OK(session.p11->C_VerifyInit(session.handle, &mechanism, session.public_key));
            return rv_name(session.p11->C_Verify(session.handle, bytes_of(data), data.size(),
                                                 bytes_of(copy), copy.size()));
        };
        CHECK_EQUAL(verify(text, signature), "CKR_OK");
        CHECK_EQUAL(verify(text + "!", signature), "CKR_SIGNATURE_INVALID");
        CHECK_EQUAL(verify(text, signature.substr(1)), "CKR_SIGNATURE_LEN_RANGE");
        ++signature[100];
        CHECK_EQUAL(verify(text, signature), "CKR_SIGNATURE_INVALID");
    }
}

void a_signature_is_checked_in_parts_and_without_login() {
    Pkcs11World world;
    const CK_SESSION_HANDLE session = world.open_logged_in();
    CK_MECHANISM mechanism = plain(CKM_SHA256_RSA_PKCS);
    std::string signature =
        world.sign(session, mechanism, world.object(session, CKO_PRIVATE_KEY, "demail-auth"), text);
    CHECK_OK(world.p11->C_Logout(session));
    CHECK_OK(world.p11->C_VerifyInit(session, &mechanism,
                                     world.object(session, CKO_PUBLIC_KEY, "demail-auth")));
    std::string first = text.substr(0, 7), second = text.substr(7);
    CHECK_OK(world.p11->C_VerifyUpdate(session, bytes_of(first), first.size()));
    CHECK_OK(world.p11->C_VerifyUpdate(session, bytes_of(second), second.size()));
    CHECK_OK(world.p11->C_VerifyFinal(session, bytes_of(signature), signature.size()));
}

} // namespace

int main() {
    return demail::test::run("pkcs11 signing",
                             {TEST(a_message_signed_whole_or_in_parts_verifies),
                              TEST(pss_signatures_verify_with_the_salt_that_was_asked_for),
                              TEST(a_digest_made_by_the_caller_is_signed_as_it_is),
                              TEST(what_does_not_fit_is_refused_before_the_card_is_asked),
                              TEST(mechanisms_and_parameters_that_are_not_ours_are_refused),
                              TEST(what_the_module_offers_is_what_it_takes),
                              TEST(a_key_does_only_what_it_is_for),
                              TEST(asking_for_the_length_and_a_small_buffer_keep_the_operation),
                              TEST(whole_and_in_parts_do_not_mix),
                              TEST(a_failure_of_the_card_ends_the_operation_and_not_the_session),
                              TEST(who_logs_out_amid_a_signature_gets_none),
                              TEST(a_signature_is_checked_by_the_public_key),
                              TEST(a_signature_is_checked_in_parts_and_without_login)});
}
