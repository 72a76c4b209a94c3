// A token that goes away and comes back, and tokens whose keys sign in other ways.
#include "breakable_module.hpp"
#include "check.hpp"
#include "crypto/token_key.hpp"
#include "token_world.hpp"

#include <openssl/err.h>

using demail::crypto::KeyUri;
using demail::crypto::TokenKey;
using demail::crypto::TokenUnavailable;
using namespace demail::test;

namespace {

using Reason = TokenUnavailable::Reason;

KeyUri uri(const std::string &object) {
    KeyUri uri = token_world().uri(object);
    uri.module_path = breakable_path;
    return uri;
}

CK_SLOT_ID slot() {
    CK_SLOT_ID slots[8];
    CK_ULONG count = 8;
    CHECK_EQUAL(real_module()->C_GetSlotList(1, slots, &count), CKR_OK);
    return slots[0];
}

struct Open {
    Open() : Open("P-256") {}
    explicit Open(const std::string &object) {
        breakage() = {};
        key = TokenKey::open(uri(object));
        breakage() = {};
    }
    ~Open() { breakage() = {}; }
    [[nodiscard]] bool signs(Pss pss = {}) const {
        const std::string signature = sign_text(key->pkey(), "SHA256", pss);
        if (signature.empty()) ERR_clear_error();
        return !signature.empty() && text_verifies(key->certificate(), signature, "SHA256", pss);
    }
    std::shared_ptr<TokenKey> key;
};

void sessions_closed_behind_its_back_are_opened_anew() {
    const Open open;
    CHECK(open.signs());
    CHECK_EQUAL(real_module()->C_CloseAllSessions(slot()), CKR_OK);
    CHECK(open.signs());
    CHECK_EQUAL(breakage().logins, 1); // closing the last session logs out
}

void a_login_ended_behind_its_back_is_made_anew() {
    const Open open;
    CK_SESSION_HANDLE session = 0;
    CHECK_EQUAL(
        real_module()->C_OpenSession(slot(), CKF_SERIAL_SESSION, nullptr, nullptr, &session),
        CKR_OK);
    CHECK_EQUAL(real_module()->C_Logout(session), CKR_OK);
    CHECK(open.signs());
    CHECK_EQUAL(breakage().logins, 1);
    CHECK_EQUAL(breakage().last_pin, "123456");
}

void a_module_finalised_behind_its_back_is_initialised_anew() {
    const Open open;
    CHECK_EQUAL(real_module()->C_Finalize(nullptr), CKR_OK);
    CHECK(open.signs());
}

void a_token_opens_after_its_module_was_finalised() {
    CHECK_EQUAL(real_module()->C_Finalize(nullptr), CKR_OK);
    CHECK(Open().signs());
}

void each_error_of_a_lost_card_is_healed_by_one_retry() {
    for (const CK_RV error :
         {CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED, CKR_DEVICE_REMOVED, CKR_TOKEN_NOT_PRESENT,
          CKR_DEVICE_ERROR, CKR_USER_NOT_LOGGED_IN, CKR_KEY_HANDLE_INVALID,
          CKR_OBJECT_HANDLE_INVALID, CKR_GENERAL_ERROR}) {
        const Open open;
        breakage().next_sign = error;
        CHECK(open.signs());
        CHECK_EQUAL(breakage().signatures, 2);
    }
}

void an_error_that_stays_is_tried_twice_and_told() {
    const Open open;
    breakage().every_sign = CKR_DEVICE_ERROR;
    CHECK(!open.signs());
    CHECK_EQUAL(breakage().signatures, 2);
    const auto fault = open.key->take_fault();
    CHECK(fault && fault->reason() == Reason::failed);
    CHECK(std::string(fault->what()).find("CKR_DEVICE_ERROR") != std::string::npos);
    breakage() = {};
    CHECK(open.signs());
    CHECK(!open.key->take_fault());
}

void an_error_of_another_kind_is_not_tried_again() {
    const Open open;
    breakage().every_sign = CKR_DATA_LEN_RANGE;
    CHECK(!open.signs());
    CHECK_EQUAL(breakage().signatures, 1);
}

void a_pulled_card_is_absent_until_it_is_back() {
    const Open open;
    breakage().token_pulled = true;
    for (int i = 0; i < 3; ++i) {
        CHECK(!open.signs());
        const auto fault = open.key->take_fault();
        CHECK(fault && fault->reason() == Reason::absent);
    }
    CHECK_EQUAL(breakage().logins, 0);
    breakage().token_pulled = false;
    CHECK(open.signs());
    CHECK_EQUAL(breakage().logins, 1);
}

void another_card_in_the_reader_never_gets_the_pin() {
    const Open open;
    breakage().token_pulled = true;
    CHECK(!open.signs());
    breakage().token_pulled = false;
    breakage().other_serial = "0815";
    CHECK(!open.signs());
    CHECK(open.key->take_fault()->reason() == Reason::absent);
    CHECK_EQUAL(breakage().logins, 0);
}

void the_pin_that_was_accepted_is_used_whatever_the_file_says_later() {
    const Open open;
    token_world().tokens.write_file("pin", "999999\n");
    breakage().next_sign = CKR_DEVICE_REMOVED;
    CHECK(open.signs());
    CHECK_EQUAL(breakage().last_pin, "123456");
    token_world().tokens.write_file("pin", "123456\n");
}

/// FIPS 186-4 6.4: the leftmost bits count. SoftHSM cuts by itself, cards need not.
void a_digest_longer_than_the_curve_is_cut_before_the_token_sees_it() {
    const Open open("P-256");
    breakage().longest_to_sign = 32;
    const std::string signature = sign_text(open.key->pkey(), "SHA512");
    CHECK(text_verifies(open.key->certificate(), signature, "SHA512"));
}

void pss_is_padded_in_software_where_the_token_lacks_it() {
    breakage() = {};
    Open open("RSA");
    breakage().hidden_mechanism = CKM_RSA_PKCS_PSS;
    CHECK_EQUAL(real_module()->C_CloseAllSessions(slot()), CKR_OK); // the list is read anew
    CHECK(open.signs({true, -1}));
    CHECK(open.signs({true, 0}));
    CHECK(open.signs({true, -3}));
}

void pss_is_padded_in_software_where_the_token_lists_but_refuses_it() {
    const Open open("RSA");
    breakage().refused_mechanism = CKM_RSA_PKCS_PSS;
    CHECK(open.signs({true, -1}));
}

void pkcs1_is_padded_in_software_where_the_token_has_raw_rsa_only() {
    const Open open("RSA");
    breakage().hidden_mechanism = CKM_RSA_PKCS;
    CHECK_EQUAL(real_module()->C_CloseAllSessions(slot()), CKR_OK);
    CHECK(open.signs());
}

} // namespace

int main() {
    (void)token_world();
    adopt_breakable_module();
    return run("token_recovery",
               {TEST(sessions_closed_behind_its_back_are_opened_anew),
                TEST(a_login_ended_behind_its_back_is_made_anew),
                TEST(a_module_finalised_behind_its_back_is_initialised_anew),
                TEST(a_token_opens_after_its_module_was_finalised),
                TEST(each_error_of_a_lost_card_is_healed_by_one_retry),
                TEST(an_error_that_stays_is_tried_twice_and_told),
                TEST(an_error_of_another_kind_is_not_tried_again),
                TEST(a_pulled_card_is_absent_until_it_is_back),
                TEST(another_card_in_the_reader_never_gets_the_pin),
                TEST(the_pin_that_was_accepted_is_used_whatever_the_file_says_later),
                TEST(a_digest_longer_than_the_curve_is_cut_before_the_token_sees_it),
                TEST(pss_is_padded_in_software_where_the_token_lacks_it),
                TEST(pss_is_padded_in_software_where_the_token_lists_but_refuses_it),
                TEST(pkcs1_is_padded_in_software_where_the_token_has_raw_rsa_only)});
}
