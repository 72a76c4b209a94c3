// What a PIN costs: a wrong one exactly one try in the life of the process. Each test has a token
// of its own, since a refusal is remembered for as long.
#include "breakable_module.hpp"
#include "check.hpp"
#include "crypto/pin.hpp"
#include "crypto/token_key.hpp"
#include "token_world.hpp"

#include <openssl/err.h>

#include <thread>

using demail::crypto::KeyUri;
using demail::crypto::Pin;
using demail::crypto::TokenKey;
using demail::crypto::TokenUnavailable;
using namespace demail::test;

namespace {

using Reason = TokenUnavailable::Reason;

constexpr const char *token_names[] = {"wrong", "threads", "final", "locked", "relogin",
                                       "pad",   "nopin",   "busy",  "right"};

SoftTokens &tokens() {
    static SoftTokens all;
    return all;
}

void make_tokens() {
    const Key key = make_key("P-256");
    const Certificate certificate = make_certificate(key.get(), {});
    for (const char *name : token_names) {
        tokens().add_token(name, "123456");
        tokens().add_key(name, "123456", "auth", "01", key.get());
        tokens().add_certificate(name, "123456", "auth", "01", certificate.get());
    }
    adopt_breakable_module();
}

KeyUri uri(const std::string &token, const std::string &pin) {
    KeyUri uri;
    uri.token = token;
    uri.object = "auth";
    uri.module_path = breakable_path;
    if (!pin.empty()) uri.pin_file = tokens().write_file("pin-" + token + "-" + pin, pin + "\n");
    return uri;
}

TokenUnavailable refusal(const KeyUri &uri) {
    try {
        (void)TokenKey::open(uri);
    } catch (const TokenUnavailable &fault) {
        return fault;
    }
    throw Failure{"the key should not have opened", __FILE__, __LINE__};
}

CK_FLAGS flags_of(const std::string &token) {
    CK_SLOT_ID slots[32];
    CK_ULONG count = 32;
    CHECK_EQUAL(real_module()->C_GetSlotList(1, slots, &count), CKR_OK);
    for (CK_ULONG i = 0; i < count; ++i) {
        CK_TOKEN_INFO info{};
        if (real_module()->C_GetTokenInfo(slots[i], &info) == CKR_OK &&
            std::string(reinterpret_cast<char *>(info.label), 32).find(token + " ") == 0)
            return info.flags;
    }
    throw Failure{"no such token", __FILE__, __LINE__};
}

void a_wrong_pin_costs_one_try_however_often_and_whatever_is_opened() {
    breakage() = {};
    CHECK(refusal(uri("wrong", "654321")).reason() == Reason::pin_refused);
    CHECK_EQUAL(breakage().logins, 1);
    CHECK((flags_of("wrong") & CKF_USER_PIN_COUNT_LOW) != 0); // the token has counted it
    for (int i = 0; i < 5; ++i)
        CHECK(refusal(uri("wrong", "654321")).reason() == Reason::pin_refused);
    KeyUri another = uri("wrong", "654321");
    another.object = "nothing";
    CHECK(refusal(another).reason() == Reason::pin_refused);
    // Not even the right one: a person has to look first, and starts the program anew.
    CHECK(refusal(uri("wrong", "123456")).reason() == Reason::pin_refused);
    CHECK_EQUAL(breakage().logins, 1);
}

void a_wrong_pin_costs_one_try_from_eight_threads() {
    breakage() = {};
    const KeyUri wrong = uri("threads", "654321");
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&wrong] {
            try {
                (void)TokenKey::open(wrong);
            } catch (const TokenUnavailable &) {
            }
        });
    for (std::thread &thread : threads)
        thread.join();
    CHECK_EQUAL(breakage().logins, 1);
}

void the_last_try_is_not_used() {
    breakage() = {};
    breakage().more_token_flags = CKF_USER_PIN_FINAL_TRY;
    const KeyUri right = uri("final", "123456");
    CHECK(refusal(right).reason() == Reason::locked);
    CHECK_EQUAL(breakage().logins, 0);
    breakage() = {}; // a person has unlocked it once
    CHECK(TokenKey::open(right) != nullptr);
}

void a_locked_token_is_not_tried() {
    breakage() = {};
    breakage().more_token_flags = CKF_USER_PIN_LOCKED;
    CHECK(refusal(uri("locked", "123456")).reason() == Reason::locked);
    CHECK_EQUAL(breakage().logins, 0);
}

void a_pin_refused_at_a_new_login_is_not_tried_again() {
    breakage() = {};
    const auto key = TokenKey::open(uri("relogin", "123456"));
    CHECK(!sign_text(key->pkey(), "SHA256").empty());
    breakage().next_sign = CKR_DEVICE_REMOVED;
    breakage().next_login = CKR_PIN_INCORRECT;
    breakage().logins = 0;
    for (int i = 0; i < 4; ++i) {
        CHECK(sign_text(key->pkey(), "SHA256").empty());
        CHECK(key->take_fault()->reason() == Reason::pin_refused);
    }
    CHECK_EQUAL(breakage().logins, 1);
    ERR_clear_error();
}

void a_failing_card_is_no_refusal() {
    breakage() = {};
    breakage().next_login = CKR_DEVICE_ERROR;
    CHECK(refusal(uri("busy", "123456")).reason() == Reason::failed);
    CHECK(TokenKey::open(uri("busy", "123456")) != nullptr);
}

void a_pin_pad_is_asked_without_a_pin() {
    breakage() = {};
    breakage().more_token_flags = CKF_PROTECTED_AUTHENTICATION_PATH;
    const auto key = TokenKey::open(uri("pad", ""));
    CHECK_EQUAL(breakage().logins, 1);
    CHECK(breakage().no_pin_given);
}

void without_a_pin_the_token_stays_locked() {
    breakage() = {};
    const TokenUnavailable fault = refusal(uri("nopin", ""));
    CHECK(fault.reason() == Reason::locked);
    CHECK(std::string(fault.what()).find("pin-source") != std::string::npos);
    CHECK_EQUAL(breakage().logins, 0);
}

void keys_of_one_token_log_in_once() {
    breakage() = {};
    const auto one = TokenKey::open(uri("right", "123456"));
    const auto two = TokenKey::open(uri("right", "123456"));
    CHECK_EQUAL(breakage().logins, 1);
}

std::string read(const std::string &text, int mode = 0600) {
    try {
        const Pin pin = Pin::read(tokens().write_file("one", text, mode));
        return {reinterpret_cast<char *>(pin.data()), pin.size()};
    } catch (const TokenUnavailable &fault) {
        CHECK(std::string(fault.what()).find("/one ") != std::string::npos);
        return "refused";
    }
}

void one_line_end_of_a_pin_file_is_dropped() {
    CHECK_EQUAL(read("123456"), "123456");
    CHECK_EQUAL(read("123456\n"), "123456");
    CHECK_EQUAL(read("123456\r\n"), "123456");
    CHECK_EQUAL(read(" 12 34 "), " 12 34 ");
    CHECK_EQUAL(read(std::string(256, '1') + "\n").size(), 256U);
}

void a_file_that_holds_no_pin_is_refused() {
    CHECK_EQUAL(read(""), "refused");
    CHECK_EQUAL(read("\n"), "refused");
    CHECK_EQUAL(read("123456\n\n"), "refused");
    CHECK_EQUAL(read("123456\n654321\n"), "refused");
    CHECK_EQUAL(read(std::string("12\0 34", 6)), "refused");
    CHECK_EQUAL(read(std::string(257, '1')), "refused");
    CHECK_EQUAL(read(std::string(100000, '1')), "refused");
}

void a_pin_file_must_be_kept_from_others() {
    CHECK_EQUAL(read("123456", 0400), "123456");
    CHECK_EQUAL(read("123456", 0640), "123456");
    for (const int mode : {0644, 0604, 0620, 0602, 0666})
        CHECK_EQUAL(read("123456", mode), "refused");
    CHECK_THROWS(Pin::read("/dev/zero"), TokenUnavailable);
    CHECK_THROWS(Pin::read(tokens().directory()), TokenUnavailable);
    CHECK_THROWS(Pin::read(tokens().directory() + "/none"), TokenUnavailable);
}

} // namespace

int main() {
    make_tokens();
    return run(
        "token_pin",
        {TEST(a_wrong_pin_costs_one_try_however_often_and_whatever_is_opened),
         TEST(a_wrong_pin_costs_one_try_from_eight_threads), TEST(the_last_try_is_not_used),
         TEST(a_locked_token_is_not_tried), TEST(a_pin_refused_at_a_new_login_is_not_tried_again),
         TEST(a_failing_card_is_no_refusal), TEST(a_pin_pad_is_asked_without_a_pin),
         TEST(without_a_pin_the_token_stays_locked), TEST(keys_of_one_token_log_in_once),
         TEST(one_line_end_of_a_pin_file_is_dropped), TEST(a_file_that_holds_no_pin_is_refused),
         TEST(a_pin_file_must_be_kept_from_others)});
}
