// Keys and certificates as a program sees them through the module.
#include "check.hpp"
#include "pkcs11_world.hpp"

#include <set>
#include <string_view>

namespace {

using namespace demail;
using namespace demail::test;

void keys_have_the_attributes_that_programs_look_for() {
    Pkcs11World world;
    const CK_SESSION_HANDLE session = world.open_logged_in();
    const CK_OBJECT_HANDLE key = world.object(session, CKO_PRIVATE_KEY, "demail-auth");
    const CK_OBJECT_HANDLE public_key = world.object(session, CKO_PUBLIC_KEY, "demail-auth");
    const std::string yes(1, '\1'), no(1, '\0');
    CHECK_EQUAL(world.attribute(session, key, CKA_ID), CardDouble::auth_id);
    CHECK_EQUAL(world.attribute(session, public_key, CKA_ID), CardDouble::auth_id);
    CHECK_EQUAL(world.attribute(session, key, CKA_SIGN), yes);
    CHECK_EQUAL(world.attribute(session, key, CKA_DECRYPT), no);
    CHECK_EQUAL(world.attribute(session, key, CKA_PRIVATE), yes);
    CHECK_EQUAL(world.attribute(session, key, CKA_EXTRACTABLE), no);
    CHECK_EQUAL(world.attribute(session, key, CKA_ALWAYS_AUTHENTICATE), no);
    CHECK_EQUAL(world.attribute(session, key, CKA_MODULUS).size(), 256U);
    CHECK_EQUAL(world.attribute(session, key, CKA_PUBLIC_EXPONENT), std::string("\1\0\1", 3));
    const std::string info = world.attribute(session, public_key, CKA_PUBLIC_KEY_INFO);
    const auto *at = reinterpret_cast<const unsigned char *>(info.data());
    const Key parsed(d2i_PUBKEY(nullptr, &at, static_cast<long>(info.size())));
    CHECK(parsed != nullptr);
    CHECK_EQUAL(EVP_PKEY_eq(parsed.get(), world.card.auth_key()), 1);
}

void the_private_half_is_never_shown() {
    Pkcs11World world;
    const CK_SESSION_HANDLE session = world.open_logged_in();
    const CK_OBJECT_HANDLE key = world.object(session, CKO_PRIVATE_KEY, "demail-auth");
    for (const CK_ATTRIBUTE_TYPE type : {CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_COEFFICIENT}) {
        std::string value(512, '\0');
        CK_ATTRIBUTE wanted{type, value.data(), value.size()};
        CHECK_RV(world.p11->C_GetAttributeValue(session, key, &wanted, 1), CKR_ATTRIBUTE_SENSITIVE);
        CHECK_EQUAL(wanted.ulValueLen, ~CK_ULONG{0});
    }
}

void certificates_are_found_by_issuer_and_serial_number() {
    const Pkcs11World world;
    const CK_SESSION_HANDLE session = world.open();
    const CK_OBJECT_HANDLE certificate = world.object(session, CKO_CERTIFICATE, "demail-auth");
    CHECK_EQUAL(world.attribute(session, certificate, CKA_VALUE), world.card.auth_certificate());
    std::string issuer = world.attribute(session, certificate, CKA_ISSUER);
    std::string number = world.attribute(session, certificate, CKA_SERIAL_NUMBER);
    CHECK_EQUAL(number.substr(0, 2), std::string("\2\2"));
    CHECK_EQUAL(world.attribute(session, certificate, CKA_END_DATE).size(), 8U);
    const auto found = world.objects(session, {{CKA_ISSUER, issuer.data(), issuer.size()},
                                               {CKA_SERIAL_NUMBER, number.data(), number.size()}});
    CHECK((found == std::vector<CK_OBJECT_HANDLE>{certificate}));
}

void attributes_are_read_one_by_one_whatever_the_others_do() {
    const Pkcs11World world;
    const CK_SESSION_HANDLE session = world.open();
    const CK_OBJECT_HANDLE key = world.object(session, CKO_PUBLIC_KEY, "demail-auth");
    CK_OBJECT_CLASS type = 0;
    char small[4] = {};
    CK_ATTRIBUTE wanted[] = {{CKA_LABEL, small, sizeof small},
                             {999, small, sizeof small},
                             {CKA_CLASS, &type, sizeof type}};
    CHECK_RV(world.p11->C_GetAttributeValue(session, key, &wanted[0], 1), CKR_BUFFER_TOO_SMALL);
    CHECK_EQUAL(small[0], '\0');
    CHECK_RV(world.p11->C_GetAttributeValue(session, key, &wanted[1], 2),
             CKR_ATTRIBUTE_TYPE_INVALID);
    CHECK_EQUAL(type, CKO_PUBLIC_KEY);
    CHECK_EQUAL(wanted[1].ulValueLen, ~CK_ULONG{0});
}

void handles_stay_when_a_certificate_is_renewed() {
    Pkcs11World world;
    const CK_SESSION_HANDLE session = world.open_logged_in();
    const CK_OBJECT_HANDLE key = world.object(session, CKO_PRIVATE_KEY, "demail-auth");
    const CK_OBJECT_HANDLE old = world.object(session, CKO_CERTIFICATE, "demail-auth");
    world.card.renew_certificate();
    const CK_OBJECT_HANDLE renewed = world.object(session, CKO_CERTIFICATE, "demail-auth");
    CHECK(renewed != old);
    CHECK_EQUAL(world.object(session, CKO_PRIVATE_KEY, "demail-auth"), key);
    CK_ULONG size = 0;
    CHECK_RV(world.p11->C_GetObjectSize(session, old, &size), CKR_OBJECT_HANDLE_INVALID);
}

void what_is_on_the_card_cannot_be_changed() {
    const Pkcs11World world;
    const CK_SESSION_HANDLE reader = world.open(),
                            writer = world.open(CKF_SERIAL_SESSION | CKF_RW_SESSION);
    const CK_OBJECT_HANDLE key = world.object(reader, CKO_PUBLIC_KEY, "demail-auth");
    char label[] = "mine";
    CK_ATTRIBUTE change{CKA_LABEL, label, 4};
    CHECK_RV(world.p11->C_SetAttributeValue(reader, key, &change, 1), CKR_SESSION_READ_ONLY);
    CHECK_RV(world.p11->C_SetAttributeValue(writer, key, &change, 1), CKR_ATTRIBUTE_READ_ONLY);
    CHECK_RV(world.p11->C_DestroyObject(writer, key), CKR_ACTION_PROHIBITED);
    CK_OBJECT_HANDLE made = 0;
    CHECK_RV(world.p11->C_CopyObject(writer, key, &change, 1, &made), CKR_ACTION_PROHIBITED);
}

void two_searches_in_one_session_are_one_too_many() {
    const Pkcs11World world;
    const CK_SESSION_HANDLE session = world.open();
    CHECK_OK(world.p11->C_FindObjectsInit(session, nullptr, 0));
    CHECK_RV(world.p11->C_FindObjectsInit(session, nullptr, 0), CKR_OPERATION_ACTIVE);
    CK_OBJECT_HANDLE object = 0;
    CK_ULONG count = 1;
    std::set<CK_OBJECT_HANDLE> found;
    while (world.p11->C_FindObjects(session, &object, 1, &count) == CKR_OK && count == 1)
        found.insert(object);
    CHECK_EQUAL(found.size(), 4U);
    CHECK_OK(world.p11->C_FindObjectsFinal(session));
    CHECK_RV(world.p11->C_FindObjects(session, &object, 1, &count), CKR_OPERATION_NOT_INITIALIZED);
}

} // namespace

int main() {
    return demail::test::run("pkcs11 objects",
                             {TEST(keys_have_the_attributes_that_programs_look_for),
                              TEST(the_private_half_is_never_shown),
                              TEST(certificates_are_found_by_issuer_and_serial_number),
                              TEST(attributes_are_read_one_by_one_whatever_the_others_do),
                              TEST(handles_stay_when_a_certificate_is_renewed),
                              TEST(what_is_on_the_card_cannot_be_changed),
                              TEST(two_searches_in_one_session_are_one_too_many)});
}
