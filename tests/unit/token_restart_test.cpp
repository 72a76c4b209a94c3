// A supervisor that starts a program again and again with the same wrong PIN: one try of the card.
// Each attempt is a process of its own, this program with an argument.
#include "check.hpp"
#include "shim_token.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iterator>
#include <thread>

using demail::crypto::TokenKey;
using demail::crypto::TokenUnavailable;
using namespace demail::test;
using namespace std::chrono_literals;

namespace {

constexpr int accepted = 0, refused = 10, locked = 11, other = 12;

int attempt(const char *module, const char *pin_file, const char *refused_pins) {
    demail::crypto::KeyUri uri;
    uri.token = "firm";
    uri.object = "EC";
    uri.module_path = module;
    uri.pin_file = pin_file;
    try {
        return signs(*TokenKey::open(uri, 5s, refused_pins)) ? accepted : other;
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

std::string refused_pins() {
    return shim_token().tokens.directory() + "/refused";
}

/// A new process that opens the key with this file; "" for `notes`: none are kept.
pid_t start_attempt(const std::string &file, const std::string &notes) {
    const std::string module = *shim_token().uri("EC").module_path;
    const pid_t child = ::fork();
    CHECK(child >= 0);
    if (child == 0) {
        ::execl("/proc/self/exe", "token_restart_test", module.c_str(), file.c_str(), notes.c_str(),
                nullptr);
        ::_exit(99);
    }
    return child;
}

int attempt_with(const std::string &file, const std::string &notes = refused_pins()) {
    const pid_t child = start_attempt(file, notes);
    int status = 0;
    CHECK_EQUAL(::waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

std::string pin_file(const std::string &pin) {
    return shim_token().tokens.write_file("attempt", pin + "\n");
}

int attempt_by_a_new_process(const std::string &pin) {
    return attempt_with(pin_file(pin), "");
}

/// The one note of a refused PIN, or none.
std::string note() {
    std::string text;
    if (!std::filesystem::exists(refused_pins())) return text;
    for (const auto &entry : std::filesystem::directory_iterator(refused_pins())) {
        if (entry.path().extension() == ".new") continue; // on its way
        CHECK_EQUAL(text, "");
        std::ifstream file(entry.path());
        text.assign(std::istreambuf_iterator<char>(file), {});
    }
    return text;
}

/// CKF_USER_PIN_COUNT_LOW is not shown, as by many cards.
constexpr const char *no_count = "flags 0 0x10000\n";

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

void ten_restarts_cost_one_try_of_a_token_that_does_not_show_its_count() {
    ShimToken &token = shim_token();
    token.control(no_count);
    token.forget_calls();
    const std::string wrong = pin_file("654321");
    CHECK_EQUAL(attempt_with(wrong), refused);
    for (int i = 0; i < 9; ++i)
        CHECK_EQUAL(attempt_with(wrong), locked);
    CHECK_EQUAL(token.calls("C_Login"), 1);
    CHECK_EQUAL(note().substr(0, 13), "refused\nfile ");
    CHECK(note().find("654321") == std::string::npos);
    // The mended file is another file, and the note goes.
    CHECK_EQUAL(attempt_with(pin_file("123456")), accepted);
    CHECK_EQUAL(note(), "");
    CHECK_EQUAL(token.calls("C_Login"), 2);
    token.control("");
}

/// systemd makes a credential's file anew at each start: its age proves nothing.
void a_credential_of_systemd_is_the_same_one_however_new_its_file() {
    ShimToken &token = shim_token();
    token.control(no_count);
    token.forget_calls();
    ::setenv("CREDENTIALS_DIRECTORY", token.tokens.directory().c_str(), 1);
    CHECK_EQUAL(attempt_with(pin_file("654321")), refused);
    CHECK_EQUAL(attempt_with(pin_file("654321")), locked);
    CHECK_EQUAL(attempt_with(pin_file("123456")), locked);
    CHECK_EQUAL(token.calls("C_Login"), 1);
    std::filesystem::remove_all(refused_pins()); // as the sentence says
    CHECK_EQUAL(attempt_with(pin_file("123456")), accepted);
    ::unsetenv("CREDENTIALS_DIRECTORY");
    token.control("");
}

void a_process_that_is_killed_while_it_logs_in_leaves_one_more_try() {
    ShimToken &token = shim_token();
    const std::string right = pin_file("123456");
    for (const char *begun : {"begun\n", "begun twice\n"}) {
        token.control("hang 60 C_Login\n");
        const pid_t child = start_attempt(right, refused_pins());
        for (int i = 0; i < 3000 && note().rfind(begun, 0) != 0; ++i)
            std::this_thread::sleep_for(10ms);
        CHECK_EQUAL(note().substr(0, std::string(begun).size()), begun);
        ::kill(child, SIGKILL);
        CHECK_EQUAL(::waitpid(child, nullptr, 0), child);
    }
    token.control("");
    token.forget_calls();
    CHECK_EQUAL(attempt_with(right), locked);
    CHECK_EQUAL(token.calls("C_Login"), 0);
    std::filesystem::remove_all(refused_pins());
    CHECK_EQUAL(attempt_with(right), accepted);
}

void a_card_that_fails_leaves_no_note() {
    ShimToken &token = shim_token();
    token.control("return C_Login CKR_DEVICE_ERROR\n");
    const std::string right = pin_file("123456");
    for (int i = 0; i < 3; ++i)
        CHECK_EQUAL(attempt_with(right), other);
    CHECK_EQUAL(note(), "");
    token.control("");
    CHECK_EQUAL(attempt_with(right), accepted);
}

void without_a_place_for_the_note_no_pin_is_offered() {
    ShimToken &token = shim_token();
    token.forget_calls();
    CHECK_EQUAL(attempt_with(pin_file("123456"), "/proc/none"), locked);
    CHECK_EQUAL(token.calls("C_Login"), 0);
}

void a_damaged_note_counts_as_a_refusal() {
    ShimToken &token = shim_token();
    token.control(no_count);
    CHECK_EQUAL(attempt_with(pin_file("654321")), refused);
    for (const auto &entry : std::filesystem::directory_iterator(refused_pins()))
        std::ofstream(entry.path(), std::ios::trunc) << "what";
    token.forget_calls();
    CHECK_EQUAL(attempt_with(pin_file("123456")), locked);
    CHECK_EQUAL(token.calls("C_Login"), 0);
    std::filesystem::remove_all(refused_pins());
    CHECK_EQUAL(attempt_with(pin_file("123456")), accepted);
    token.control("");
}

} // namespace

int main(int argc, char **argv) {
    if (argc == 4) return attempt(argv[1], argv[2], argv[3]);
    (void)shim_token();
    return run("token_restart",
               {TEST(ten_restarts_with_a_wrong_pin_cost_one_try),
                TEST(ten_restarts_cost_one_try_of_a_token_that_does_not_show_its_count),
                TEST(a_credential_of_systemd_is_the_same_one_however_new_its_file),
                TEST(a_process_that_is_killed_while_it_logs_in_leaves_one_more_try),
                TEST(a_card_that_fails_leaves_no_note),
                TEST(without_a_place_for_the_note_no_pin_is_offered),
                TEST(a_damaged_note_counts_as_a_refusal),
                TEST(the_last_try_and_a_locked_token_are_not_touched),
                TEST(a_pin_that_was_accepted_serves_although_another_program_gave_a_wrong_one),
                TEST(a_pin_that_was_accepted_is_doubted_after_a_login_that_failed)});
}
