// A supervisor that starts a program again and again with the same wrong PIN: one try of the card.
// Each attempt is a process of its own, this program with an argument.
#include "check.hpp"
#include "shim_token.hpp"

#include <sys/wait.h>
#include <unistd.h>

using demail::crypto::TokenKey;
using demail::crypto::TokenUnavailable;
using namespace demail::test;
using namespace std::chrono_literals;

namespace {

constexpr int accepted = 0, refused = 10, locked = 11, other = 12;

int attempt(const char *module, const char *pin_file) {
    demail::crypto::KeyUri uri;
    uri.token = "firm";
    uri.object = "EC";
    uri.module_path = module;
    uri.pin_file = pin_file;
    try {
        return signs(*TokenKey::open(uri)) ? accepted : other;
    } catch (const TokenUnavailable &fault) {
        switch (fault.reason()) {
        case TokenUnavailable::Reason::pin_refused:
            return refused;
        case TokenUnavailable::Reason::locked:
            return locked;
        default:
            return other;
        }
    }
}

int attempt_by_a_new_process(const std::string &pin) {
    ShimToken &token = shim_token();
    const std::string file = token.tokens.write_file("attempt", pin + "\n");
    const std::string module = *token.uri("EC").module_path;
    const pid_t child = ::fork();
    CHECK(child >= 0);
    if (child == 0) {
        ::execl("/proc/self/exe", "token_restart_test", module.c_str(), file.c_str(), nullptr);
        ::_exit(99);
    }
    int status = 0;
    CHECK_EQUAL(::waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

void log_in_by_other_means() {
    const std::string command = "pkcs11-tool --module " + SoftTokens::module_path() +
                                " --token-label firm --login --pin 123456 -O >/dev/null 2>&1";
    CHECK_EQUAL(std::system(command.c_str()), 0);
}

void ten_restarts_with_a_wrong_pin_cost_one_try() {
    ShimToken &token = shim_token();
    token.forget_calls();
    CHECK_EQUAL(attempt_by_a_new_process("654321"), refused);
    for (int i = 0; i < 9; ++i)
        CHECK_EQUAL(attempt_by_a_new_process("654321"), locked);
    CHECK_EQUAL(token.calls("C_Login"), 1);
    // A person logs in once; then the right PIN serves again.
    CHECK_EQUAL(attempt_by_a_new_process("123456"), locked);
    log_in_by_other_means();
    CHECK_EQUAL(attempt_by_a_new_process("123456"), accepted);
    CHECK_EQUAL(token.calls("C_Login"), 2);
}

void the_last_try_and_a_locked_token_are_not_touched() {
    ShimToken &token = shim_token();
    for (const char *flag : {"0x20000", "0x40000"}) { // CKF_USER_PIN_FINAL_TRY, _LOCKED
        token.control(std::string("flags ") + flag + "\n");
        token.forget_calls();
        CHECK_EQUAL(attempt_by_a_new_process("123456"), locked);
        CHECK_EQUAL(token.calls("C_Login"), 0);
    }
    token.control("");
    CHECK_EQUAL(attempt_by_a_new_process("123456"), accepted);
}

void a_pin_that_was_accepted_serves_although_another_program_gave_a_wrong_one() {
    ShimToken &token = shim_token();
    const auto key = TokenKey::open(token.uri("EC"));
    token.control("flags 0x10000\ncard 5\n"); // CKF_USER_PIN_COUNT_LOW
    token.forget_calls();
    CHECK(signs(*key));
    CHECK_EQUAL(token.calls("C_Login"), 1);
    token.control("");
}

/// Some modules say "failed" of a wrong PIN. The flag tells that it was one.
void a_pin_that_was_accepted_is_doubted_after_a_login_that_failed() {
    ShimToken &token = shim_token();
    const auto key = TokenKey::open(token.uri("EC"));
    token.control("flags 0x10000\ncard 6\nreturn C_Login CKR_FUNCTION_FAILED\n");
    token.forget_calls();
    for (int i = 0; i < 5; ++i)
        CHECK(!signs(*key));
    CHECK_EQUAL(token.calls("C_Login"), 1);
    token.control("card 7\n");
    CHECK(signs(*key));
    token.control("");
}

} // namespace

int main(int argc, char **argv) {
    if (argc == 3) return attempt(argv[1], argv[2]);
    (void)shim_token();
    return run("token_restart",
               {TEST(ten_restarts_with_a_wrong_pin_cost_one_try),
                TEST(the_last_try_and_a_locked_token_are_not_touched),
                TEST(a_pin_that_was_accepted_serves_although_another_program_gave_a_wrong_one),
                TEST(a_pin_that_was_accepted_is_doubted_after_a_login_that_failed)});
}
