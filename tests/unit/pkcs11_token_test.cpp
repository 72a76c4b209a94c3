// Slots, tokens, sessions and login as a program sees them through the module.
#include "check.hpp"
#include "pkcs11_world.hpp"

#include <unistd.h>

#include <chrono>
#include <set>
#include <string_view>
#include <thread>

namespace {

using namespace demail;
using namespace demail::test;
using namespace std::chrono_literals;

template <std::size_t Size>
std::string field(const CK_UTF8CHAR (&bytes)[Size]) {
    const std::string text(reinterpret_cast<const char *>(bytes), Size);
    return text.substr(0, text.find_last_not_of(' ') + 1);
}

std::vector<CK_SLOT_ID> slots(CK_FUNCTION_LIST *p11, bool with_token_only) {
    std::vector<CK_SLOT_ID> list(10);
    CK_ULONG count = list.size();
    CHECK_OK(p11->C_GetSlotList(with_token_only ? CK_TRUE : CK_FALSE, list.data(), &count));
    list.resize(count);
    return list;
}

CK_RV login(const Pkcs11World &world, CK_SESSION_HANDLE session, std::string pin,
            CK_USER_TYPE user = CKU_USER) {
    return world.p11->C_Login(session, user, bytes_of(pin), pin.size());
}

CK_STATE state(const Pkcs11World &world, CK_SESSION_HANDLE session) {
    CK_SESSION_INFO info{};
    CHECK_OK(world.p11->C_GetSessionInfo(session, &info));
    return info.state;
}

void a_card_is_a_slot_with_a_token() {
    const Pkcs11World world;
    CHECK((slots(world.p11, true) == std::vector<CK_SLOT_ID>{5}));
    CK_SLOT_INFO slot{};
    CHECK_OK(world.p11->C_GetSlotInfo(5, &slot));
    CHECK_EQUAL(field(slot.slotDescription), "a reader");
    CHECK_EQUAL(slot.flags, CKF_TOKEN_PRESENT | CKF_REMOVABLE_DEVICE | CKF_HW_SLOT);
    const CK_TOKEN_INFO token = world.token();
    CHECK_EQUAL(field(token.label), "NetKey 2345");
    CHECK_EQUAL(field(token.model), "NetKey V3");
    // The last 16 of the ICCSN's 20 digits.
    CHECK_EQUAL(field(token.serialNumber), "0173456789012345");
    CHECK_EQUAL(token.flags, CKF_LOGIN_REQUIRED | CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED);
    CHECK_EQUAL(token.ulMinPinLen, 6U);
}

void the_pin_s_state_shows_in_the_token_s_flags() {
    Pkcs11World world;
    const auto flags = [&](const wire::PinFlags &pin) {
        world.card.change([&](wire::Token &token) { token.pin = pin; });
        return world.token().flags & ~(CKF_LOGIN_REQUIRED | CKF_TOKEN_INITIALIZED);
    };
    CHECK_EQUAL(flags({true, false, false, false, false}),
                CKF_PROTECTED_AUTHENTICATION_PATH | CKF_USER_PIN_INITIALIZED);
    CHECK_EQUAL(flags({false, true, true, false, false}),
                CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_INITIALIZED);
    CHECK_EQUAL(flags({false, true, false, true, false}),
                CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_LOCKED | CKF_USER_PIN_INITIALIZED);
    CHECK_EQUAL(flags({false, false, false, false, true}), CKF_USER_PIN_TO_BE_CHANGED);
}

void without_a_daemon_there_is_no_slot_and_no_error() {
    ::setenv("DEMAIL_CARDD_SOCKET", "/nowhere/socket", 1);
    CK_FUNCTION_LIST *const p11 = module_functions();
    CHECK_OK(p11->C_Initialize(nullptr));
    CHECK(slots(p11, false).empty());
    CHECK_OK(p11->C_Finalize(nullptr));
}

void a_card_that_is_pulled_keeps_its_slot_and_its_sessions() {
    Pkcs11World world;
    const CK_SESSION_HANDLE session = world.open_logged_in();
    const CK_OBJECT_HANDLE key = world.object(session, CKO_PRIVATE_KEY, "demail-auth");
    world.card.change([](wire::Token &token) { token.present = false; });
    CHECK(slots(world.p11, true).empty());
    CHECK((slots(world.p11, false) == std::vector<CK_SLOT_ID>{5}));
    CK_TOKEN_INFO token{};
    CHECK_RV(world.p11->C_GetTokenInfo(5, &token), CKR_TOKEN_NOT_PRESENT);
    CHECK_EQUAL(world.sign(session, {CKM_SHA256_RSA_PKCS, nullptr, 0}, key, "text"),
                "CKR_DEVICE_REMOVED");
    world.card.change([](wire::Token &present) { present.present = true; });
    CHECK_EQUAL(world.sign(session, {CKM_SHA256_RSA_PKCS, nullptr, 0}, key, "text").size(), 256U);
}

void a_session_may_begin_while_a_known_card_is_away() {
    Pkcs11World world;
    world.card.change([](wire::Token &token) { token.present = false; });
    CK_SESSION_HANDLE session = 0;
    CHECK_RV(world.p11->C_OpenSession(5, CKF_SERIAL_SESSION, nullptr, nullptr, &session),
             CKR_TOKEN_NOT_PRESENT);
    world.card.change([](wire::Token &token) { token.present = true; });
    static_cast<void>(world.objects(world.open(), {}));
    world.card.change([](wire::Token &token) { token.present = false; });
    CHECK_OK(world.p11->C_OpenSession(5, CKF_SERIAL_SESSION, nullptr, nullptr, &session));
}

void two_cards_with_one_number_get_two_slots() {
    Pkcs11World world;
    world.card.add_card("89490173000000000001", 5);
    const auto list = slots(world.p11, true);
    CHECK((std::set<CK_SLOT_ID>(list.begin(), list.end()) == std::set<CK_SLOT_ID>{5, 6}));
    CK_TOKEN_INFO token{};
    CHECK_OK(world.p11->C_GetTokenInfo(6, &token));
    CHECK_EQUAL(field(token.serialNumber), "0173000000000001");
}

void a_slot_list_that_does_not_fit_is_told() {
    Pkcs11World world;
    world.card.add_card("89490173000000000001", 6);
    CK_ULONG count = 0;
    CHECK_OK(world.p11->C_GetSlotList(CK_TRUE, nullptr, &count));
    CHECK_EQUAL(count, 2U);
    CK_SLOT_ID one = 0;
    count = 1;
    CHECK_RV(world.p11->C_GetSlotList(CK_TRUE, &one, &count), CKR_BUFFER_TOO_SMALL);
    CHECK_EQUAL(count, 2U);
}

void an_event_is_told_once() {
    Pkcs11World world;
    static_cast<void>(slots(world.p11, true));
    CK_SLOT_ID slot = 0;
    CHECK_RV(world.p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, nullptr), CKR_NO_EVENT);
    world.card.change([](wire::Token &token) { token.present = false; });
    CHECK_OK(world.p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, nullptr));
    CHECK_EQUAL(slot, 5U);
    CHECK_RV(world.p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, nullptr), CKR_NO_EVENT);
}

void who_waits_for_an_event_gets_it() {
    Pkcs11World world;
    static_cast<void>(slots(world.p11, true));
    std::thread puller([&] {
        std::this_thread::sleep_for(100ms);
        world.card.change([](wire::Token &token) { token.present = false; });
    });
    CK_SLOT_ID slot = 0;
    CHECK_OK(world.p11->C_WaitForSlotEvent(0, &slot, nullptr));
    puller.join();
    CHECK_EQUAL(slot, 5U);
}

void finalising_ends_the_wait_for_an_event() {
    auto world = std::make_unique<Pkcs11World>();
    static_cast<void>(slots(world->p11, true));
    std::string result;
    std::thread waiter([&] {
        CK_SLOT_ID slot = 0;
        result = rv_name(module_functions()->C_WaitForSlotEvent(0, &slot, nullptr));
    });
    std::this_thread::sleep_for(100ms);
    const auto begin = std::chrono::steady_clock::now();
    CHECK_OK(world->p11->C_Finalize(nullptr));
    waiter.join();
    CHECK(std::chrono::steady_clock::now() - begin < 1s);
    CHECK_EQUAL(result, "CKR_CRYPTOKI_NOT_INITIALIZED");
}

void private_keys_are_seen_after_login_only() {
    Pkcs11World world;
    const CK_SESSION_HANDLE session = world.open();
    // Two public keys and two certificates; the third certificate is none.
    CHECK_EQUAL(world.objects(session, {}).size(), 4U);
    world.card.change([](wire::Token &token) { token.pin.held = true; });
    CHECK_OK(world.p11->C_Login(session, CKU_USER, nullptr, 0));
    CHECK_EQUAL(world.objects(session, {}).size(), 6U);
    const CK_OBJECT_HANDLE key = world.object(session, CKO_PRIVATE_KEY, "demail-auth");
    CHECK_OK(world.p11->C_Logout(session));
    CHECK_EQUAL(world.objects(session, {}).size(), 4U);
    CK_ULONG size = 0;
    CHECK_RV(world.p11->C_GetObjectSize(session, key, &size), CKR_OBJECT_HANDLE_INVALID);
    CHECK_EQUAL(world.sign(session, {CKM_SHA256_RSA_PKCS, nullptr, 0}, key, "text"),
                "CKR_USER_NOT_LOGGED_IN");
}

void a_key_that_a_login_would_not_open_shows_its_public_half_alone() {
    Pkcs11World world;
    const CK_SESSION_HANDLE session = world.open_logged_in();
    const CK_OBJECT_HANDLE key = world.object(session, CKO_PRIVATE_KEY, "demail-enc");
    world.card.lock_enc_key();
    CHECK_EQUAL(world.objects(session, {}).size(), 5U);
    CK_ULONG size = 0;
    CHECK_RV(world.p11->C_GetObjectSize(session, key, &size), CKR_OBJECT_HANDLE_INVALID);
    static_cast<void>(world.object(session, CKO_PUBLIC_KEY, "demail-enc"));
}

void login_without_a_pin_works_when_the_daemon_holds_it() {
    Pkcs11World world;
    const CK_SESSION_HANDLE session = world.open();
    CHECK_RV(world.p11->C_Login(session, CKU_USER, nullptr, 0), CKR_FUNCTION_CANCELED);
    world.card.change([](wire::Token &token) { token.pin.held = true; });
    CHECK_OK(world.p11->C_Login(session, CKU_USER, nullptr, 0));
    CHECK_EQUAL(world.card.verifies(), 0);
}

// These send a PIN, which goes to root's daemon alone.
void login_with_a_pin_is_one_try() {
    if (::getuid() != 0) return;
    Pkcs11World world;
    const CK_SESSION_HANDLE session = world.open();
    CHECK_RV(login(world, session, "000000"), CKR_PIN_INCORRECT);
    CHECK_EQUAL(world.card.verifies(), 1);
    CHECK((world.token().flags & CKF_USER_PIN_COUNT_LOW) != 0);
    CHECK_OK(login(world, session, CardDouble::pin));
    CHECK_EQUAL(world.card.verifies(), 2);
    CHECK((world.token().flags & CKF_USER_PIN_COUNT_LOW) == 0);
}

void a_pin_of_impossible_length_is_no_try() {
    Pkcs11World world;
    const CK_SESSION_HANDLE session = world.open();
    CHECK_RV(login(world, session, std::string(65, '1')), CKR_PIN_LEN_RANGE);
    CHECK_RV(world.p11->C_Login(session, CKU_USER, nullptr, 6), CKR_ARGUMENTS_BAD);
    CHECK_EQUAL(world.card.verifies(), 0);
}

void login_counts_for_all_sessions_of_the_token() {
    Pkcs11World world;
    const CK_SESSION_HANDLE first = world.open(),
                            second = world.open(CKF_SERIAL_SESSION | CKF_RW_SESSION);
    CHECK_EQUAL(state(world, first), CKS_RO_PUBLIC_SESSION);
    CHECK_EQUAL(state(world, second), CKS_RW_PUBLIC_SESSION);
    world.card.change([](wire::Token &token) { token.pin.held = true; });
    CHECK_OK(world.p11->C_Login(first, CKU_USER, nullptr, 0));
    CHECK_EQUAL(state(world, first), CKS_RO_USER_FUNCTIONS);
    CHECK_EQUAL(state(world, second), CKS_RW_USER_FUNCTIONS);
    CHECK_RV(world.p11->C_Login(second, CKU_USER, nullptr, 0), CKR_USER_ALREADY_LOGGED_IN);
    CHECK_OK(world.p11->C_Logout(second));
    CHECK_RV(world.p11->C_Logout(first), CKR_USER_NOT_LOGGED_IN);
}

void closing_the_last_session_logs_out() {
    Pkcs11World world;
    CHECK_OK(world.p11->C_CloseSession(world.open_logged_in()));
    CHECK_EQUAL(state(world, world.open()), CKS_RO_PUBLIC_SESSION);
}

void who_was_logged_in_when_the_card_was_locked_may_log_in_again() {
    Pkcs11World world;
    const CK_SESSION_HANDLE session = world.open_logged_in();
    const CK_OBJECT_HANDLE key = world.object(session, CKO_PRIVATE_KEY, "demail-auth");
    const CK_MECHANISM mechanism{CKM_SHA256_RSA_PKCS, nullptr, 0};
    world.card.change([](wire::Token &token) { token.pin.held = false; });
    CHECK_EQUAL(world.sign(session, mechanism, key, "text"), "CKR_USER_NOT_LOGGED_IN");
    CHECK_RV(world.p11->C_Login(session, CKU_USER, nullptr, 0), CKR_FUNCTION_CANCELED);
    // And need not: unlocked again by a person, it goes on.
    world.card.change([](wire::Token &token) { token.pin.held = true; });
    CHECK_EQUAL(world.sign(session, mechanism, key, "text").size(), 256U);
}

void there_is_no_security_officer() {
    Pkcs11World world;
    const CK_SESSION_HANDLE session = world.open();
    CHECK_RV(login(world, session, "12345678", CKU_SO), CKR_SESSION_READ_ONLY_EXISTS);
    CHECK_OK(world.p11->C_CloseSession(session));
    const CK_SESSION_HANDLE writer = world.open(CKF_SERIAL_SESSION | CKF_RW_SESSION);
    CHECK_RV(login(world, writer, "12345678", CKU_SO), CKR_USER_TYPE_INVALID);
    CHECK_RV(login(world, writer, "12345678", 99), CKR_USER_TYPE_INVALID);
    CHECK_EQUAL(world.card.verifies(), 0);
}

} // namespace

int main() {
    return demail::test::run(
        "pkcs11 token",
        {TEST(a_card_is_a_slot_with_a_token), TEST(the_pin_s_state_shows_in_the_token_s_flags),
         TEST(without_a_daemon_there_is_no_slot_and_no_error),
         TEST(a_card_that_is_pulled_keeps_its_slot_and_its_sessions),
         TEST(a_session_may_begin_while_a_known_card_is_away),
         TEST(two_cards_with_one_number_get_two_slots), TEST(a_slot_list_that_does_not_fit_is_told),
         TEST(an_event_is_told_once), TEST(who_waits_for_an_event_gets_it),
         TEST(finalising_ends_the_wait_for_an_event), TEST(private_keys_are_seen_after_login_only),
         TEST(a_key_that_a_login_would_not_open_shows_its_public_half_alone),
         TEST(login_without_a_pin_works_when_the_daemon_holds_it),
         TEST(login_with_a_pin_is_one_try), TEST(a_pin_of_impossible_length_is_no_try),
         TEST(login_counts_for_all_sessions_of_the_token), TEST(closing_the_last_session_logs_out),
         TEST(who_was_logged_in_when_the_card_was_locked_may_log_in_again),
         TEST(there_is_no_security_officer)});
}
