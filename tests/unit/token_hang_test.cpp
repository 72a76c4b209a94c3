// A token that does not answer, one that comes and goes under load, and keys that outlive each
// other.
#include "check.hpp"
#include "crypto/token_thread.hpp"
#include "shim_token.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

using demail::crypto::TokenKey;
using demail::crypto::TokenUnavailable;
using namespace demail::test;
using namespace std::chrono_literals;

namespace {

using Reason = TokenUnavailable::Reason;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds patient = 20s, hasty = 400ms;

template <typename Body>
std::chrono::milliseconds time_of(Body body) {
    const auto began = Clock::now();
    body();
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
}

bool fails_without_answer(const TokenKey &key) {
    if (signs(key)) return false;
    const auto fault = key.take_fault();
    return fault && fault->reason() == Reason::no_answer &&
           std::string(fault->what()).find("does not answer") != std::string::npos;
}

/// A call that came late must not disturb the next test.
void wait_until_nothing_hangs() {
    shim_token().control("");
    for (int i = 0; i < 1000 && demail::crypto::token_call_hangs(); ++i)
        std::this_thread::sleep_for(20ms);
    CHECK(!demail::crypto::token_call_hangs());
}

void who_waits_is_served_in_the_order_of_coming() {
    demail::crypto::TokenThread thread;
    std::mutex mutex;
    std::vector<int> order;
    std::vector<std::thread> callers;
    for (int number = 0; number < 8; ++number) {
        callers.emplace_back([&, number] {
            CHECK(thread.run(
                [&, number] {
                    std::this_thread::sleep_for(number == 0 ? 500ms : 1ms);
                    const std::lock_guard lock(mutex);
                    order.push_back(number);
                },
                patient));
        });
        std::this_thread::sleep_for(40ms);
    }
    for (std::thread &caller : callers)
        caller.join();
    CHECK(std::is_sorted(order.begin(), order.end()));
    CHECK_EQUAL(order.size(), 8U);
}

void a_signature_that_hangs_fails_at_the_deadline() {
    ShimToken &token = shim_token();
    const auto key = TokenKey::open(token.uri("EC"), hasty);
    token.control("hang 60\n");
    token.forget_calls();
    const auto first = time_of([&] { CHECK(fails_without_answer(*key)); });
    CHECK(first >= hasty);
    CHECK(first < 5s);
    CHECK(demail::crypto::token_call_hangs());
    const auto second = time_of([&] { CHECK(fails_without_answer(*key)); });
    CHECK(second < hasty); // the token is not asked
    wait_until_nothing_hangs();
    CHECK_EQUAL(token.calls("C_Sign"), 1);
    CHECK(signs(*key));
    CHECK_EQUAL(token.calls("C_Login"), 0);
}

void those_who_wait_for_a_call_that_hangs_are_told_with_it() {
    ShimToken &token = shim_token();
    const auto key = TokenKey::open(token.uri("EC"), hasty);
    token.control("hang 60\n");
    std::atomic<int> told = 0;
    const auto all = time_of([&] {
        std::vector<std::thread> threads;
        for (int i = 0; i < 8; ++i)
            threads.emplace_back([&] { told += fails_without_answer(*key) ? 1 : 0; });
        for (std::thread &thread : threads)
            thread.join();
    });
    CHECK_EQUAL(told.load(), 8);
    CHECK(all < 2 * hasty + 2s); // not eight deadlines
    wait_until_nothing_hangs();
}

void a_slow_token_is_waited_for_by_all() {
    ShimToken &token = shim_token();
    const auto key = TokenKey::open(token.uri("EC"), 1s);
    token.control("delay 200\n");
    std::atomic<int> good = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 10; ++i) // together they take longer than the deadline of one
        threads.emplace_back([&] { good += signs(*key) ? 1 : 0; });
    for (std::thread &thread : threads)
        thread.join();
    CHECK_EQUAL(good.load(), 10);
    token.control("");
}

void every_call_has_the_deadline() {
    ShimToken &token = shim_token();
    for (const std::string function :
         {"C_Initialize", "C_GetSlotList", "C_GetTokenInfo", "C_OpenSession", "C_Login",
          "C_FindObjectsInit", "C_GetAttributeValue"}) {
        auto uri = token.uri("EC");
        uri.module_path = token.another_module();
        token.control(token.fresh_serial() + "hang 60 " + function + "\n");
        const auto took =
            time_of([&] { CHECK(refusal(uri, hasty).reason() == Reason::no_answer); });
        CHECK(took < 5s);
        CHECK(time_of([&] { CHECK(refusal(uri, hasty).reason() == Reason::no_answer); }) < 2s);
        wait_until_nothing_hangs();
        CHECK(signs(*TokenKey::open(uri, patient)));
    }
}

void a_token_that_hangs_does_not_stop_another() {
    ShimToken &token = shim_token();
    const auto other = TokenKey::open(token.uri("EC"), patient); // another serial, another token
    CHECK(signs(*other));
    token.control(token.fresh_serial());
    const auto key = TokenKey::open(token.uri("EC"), hasty);
    token.control("hang 60\n");
    CHECK(fails_without_answer(*key));
    token.control("hang 60 C_Nothing\n"); // the one call hangs on
    CHECK(demail::crypto::token_call_hangs());
    CHECK(signs(*other));
    CHECK(demail::crypto::token_call_hangs());
    wait_until_nothing_hangs();
}

void a_key_may_go_while_its_call_hangs() {
    ShimToken &token = shim_token();
    auto key = TokenKey::open(token.uri("EC"), hasty);
    token.control("hang 60\n");
    CHECK(fails_without_answer(*key));
    CHECK(time_of([&] { key.reset(); }) < 3s);
    // A reload meanwhile: no second call into the hanging token.
    CHECK(time_of([&] { CHECK(refusal(token.uri("EC"), hasty).reason() == Reason::no_answer); }) <
          hasty);
    wait_until_nothing_hangs();
    CHECK(signs(*TokenKey::open(token.uri("EC"), patient)));
}

void eight_threads_sign_while_the_card_comes_and_goes() {
    ShimToken &token = shim_token();
    const std::string serial = token.fresh_serial();
    token.control(serial);
    const auto key = TokenKey::open(token.uri("EC"), patient);
    std::atomic<bool> stop = false;
    std::atomic<int> good = 0, absent = 0, strange = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] {
            while (!stop) {
                if (signs(*key)) {
                    ++good;
                    continue;
                }
                const auto fault = key->take_fault();
                ++(fault && fault->reason() == Reason::absent ? absent : strange);
                std::this_thread::sleep_for(5ms);
            }
        });
    for (int round = 0; round < 6; ++round) {
        std::this_thread::sleep_for(100ms);
        token.control(serial + "pulled\n");
        std::this_thread::sleep_for(50ms);
        token.control(serial + "card " + std::to_string(round) + "\n");
    }
    stop = true;
    for (std::thread &thread : threads)
        thread.join();
    CHECK_EQUAL(strange.load(), 0);
    CHECK(good > 0);
    CHECK(absent > 0);
    CHECK(signs(*key));
    token.control("");
}

void another_card_gets_no_pin_and_is_named() {
    ShimToken &token = shim_token();
    const auto key = TokenKey::open(token.uri("EC"), patient);
    token.forget_calls();
    token.control("card 2\nserial 0815\n");
    CHECK(!signs(*key));
    const auto fault = key->take_fault();
    CHECK(fault && fault->reason() == Reason::absent);
    CHECK(std::string(fault->what()).find("another is: \"firm\" (serial 0815)") !=
          std::string::npos);
    CHECK_EQUAL(token.calls("C_Login"), 0);
    token.control("card 3\n");
    CHECK(signs(*key));
    CHECK_EQUAL(token.calls("C_Login"), 1);
    token.control("");
}

void a_key_opened_anew_works_beside_the_old_one_and_after_it() {
    ShimToken &token = shim_token();
    auto old = TokenKey::open(token.uri("EC"), patient);
    CHECK(signs(*old));
    token.forget_calls();
    const auto fresh = TokenKey::open(token.uri("EC"), patient);
    CHECK(signs(*fresh));
    CHECK(signs(*old));
    old.reset();
    CHECK(signs(*fresh));
    CHECK_EQUAL(token.calls("C_Login"), 0);
    CHECK_EQUAL(token.calls("C_CloseSession"), 0);
}

/// The last test: nothing asks a token after it.
void nobody_waits_for_a_token_when_the_process_ends() {
    ShimToken &token = shim_token();
    const auto key = TokenKey::open(token.uri("EC"), patient);
    token.control("hang 60\n");
    std::thread ending([] {
        std::this_thread::sleep_for(200ms);
        demail::crypto::end_token_calls(200ms);
    });
    const auto took = time_of([&] { CHECK(fails_without_answer(*key)); });
    ending.join();
    CHECK(took >= 400ms);
    CHECK(took < 5s);
    wait_until_nothing_hangs();
}

} // namespace

int main() {
    (void)shim_token();
    return run("token_hang",
               {TEST(who_waits_is_served_in_the_order_of_coming),
                TEST(a_signature_that_hangs_fails_at_the_deadline),
                TEST(those_who_wait_for_a_call_that_hangs_are_told_with_it),
                TEST(a_slow_token_is_waited_for_by_all), TEST(every_call_has_the_deadline),
                TEST(a_token_that_hangs_does_not_stop_another),
                TEST(a_key_may_go_while_its_call_hangs),
                TEST(eight_threads_sign_while_the_card_comes_and_goes),
                TEST(another_card_gets_no_pin_and_is_named),
                TEST(a_key_opened_anew_works_beside_the_old_one_and_after_it),
                TEST(nobody_waits_for_a_token_when_the_process_ends)});
}
