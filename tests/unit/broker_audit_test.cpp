// The audit log's chain.
#include "broker/audit.hpp"
#include "broker/words.hpp"
#include "check.hpp"
#include "temporary_directory.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

using namespace demail;
using namespace demail::broker;

namespace {

AuditEntry entry(const std::string &result = "ok") {
    return {"sign",
            107,
            4711,
            "89490171234567890123",
            "demail-auth",
            "rsa-pkcs1 sha256",
            std::string(32, 'd'),
            result};
}

std::string text_of(const std::string &directory) {
    std::ifstream file(directory + "/audit.log");
    return {std::istreambuf_iterator<char>(file), {}};
}

void a_line_says_who_did_what_and_only_a_hash_of_the_input() {
    const test::TemporaryDirectory directory;
    AuditLog log(directory.path());
    CHECK_EQUAL(log.append(entry()).lines, 1U);
    const auto words = parse_words(text_of(directory.path()));
    CHECK(words.has_value());
    CHECK_EQUAL(word(*words, "uid").value_or(""), "107");
    CHECK_EQUAL(word(*words, "key").value_or(""), "demail-auth");
    CHECK_EQUAL(word(*words, "input").value_or(""), hex(view(sha256(std::string(32, 'd')))));
    CHECK(text_of(directory.path()).find("dddd") == std::string::npos);
}

void the_chain_goes_on_over_restarts() {
    const test::TemporaryDirectory directory;
    AuditHead head;
    for (int run = 0; run < 3; ++run) {
        AuditLog log(directory.path());
        for (int i = 0; i < 4; ++i)
            head = log.append(entry());
        log.sync();
    }
    const AuditCheck check = check_audit(directory.path());
    CHECK(check.good);
    CHECK_EQUAL(check.head.lines, 12U);
    CHECK(check.head.hash == head.hash);
}

void every_change_is_seen() {
    const test::TemporaryDirectory directory;
    AuditLog log(directory.path());
    for (int i = 0; i < 5; ++i)
        log.append(entry(std::to_string(i)));
    const std::string text = text_of(directory.path());
    CHECK(check_audit_text(text, {}).good);
    // One bit anywhere; but for the line ends each is within a line.
    for (std::size_t at = 0; at < text.size(); ++at) {
        std::string changed = text;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        const AuditCheck check = check_audit_text(changed, {});
        // The last line's end is no part of the chain, hex digits have one form only.
        CHECK(!check.good);
        CHECK(!check.sentence.empty());
    }
    const std::size_t first = text.find('\n') + 1, second = text.find('\n', first) + 1;
    CHECK(!check_audit_text(text.substr(first), {}).good);
    CHECK(!check_audit_text(text.substr(0, first) + text.substr(second), {}).good);
    CHECK(!check_audit_text(text + text.substr(0, first), {}).good);
}

void a_line_that_a_crash_cut_is_taken_off() {
    const test::TemporaryDirectory directory;
    {
        AuditLog log(directory.path());
        log.append(entry());
    }
    std::ofstream(directory.path() + "/audit.log", std::ios::app) << "n=\"2\" time=\"20";
    AuditLog log(directory.path());
    CHECK_EQUAL(log.append(entry()).lines, 2U);
    CHECK(check_audit(directory.path()).good);
}

void a_log_that_is_none_is_not_written_to() {
    const test::TemporaryDirectory directory;
    std::ofstream(directory.path() + "/audit.log") << "something else\n";
    CHECK_THROWS(AuditLog(directory.path()), std::runtime_error);
}

void names_cannot_break_a_line() {
    const test::TemporaryDirectory directory;
    AuditLog log(directory.path());
    AuditEntry evil = entry("no\n\"result=\"ok");
    evil.key = "a\" uid=\"0";
    log.append(evil);
    log.append(entry());
    CHECK(check_audit(directory.path()).good);
    const std::string text = text_of(directory.path());
    const auto words = parse_words(text.substr(0, text.find('\n')));
    CHECK(words.has_value());
    CHECK_EQUAL(word(*words, "key").value_or(""), evil.key);
    CHECK_EQUAL(word(*words, "result").value_or(""), evil.result);
}

void words_are_read_strictly() {
    CHECK(parse_words("").has_value());
    CHECK(parse_words("a=\"\" b=\"c\\x0a\\\"\\\\\"\n").has_value());
    for (const char *bad :
         {"a", "a=", "a=b", "a=\"", "a=\"b\" ", "a=\"b\"  c=\"d\"", "=\"b\"", "a=\"b\"a=\"c\"",
          "a=\"b\" a=\"c\"", "a=\"\\n\"", "a=\"\\x0g\"", "a=\"\\", "A=\"b\""})
        CHECK(!parse_words(bad).has_value());
    CHECK_EQUAL(number(*parse_words("n=\"-17\""), "n").value_or(0), -17);
    CHECK(!number(*parse_words("n=\"17x\""), "n").has_value());
    CHECK(!number(*parse_words("n=\"\""), "n").has_value());
    CHECK(!number(*parse_words("n=\"9999999999999999999\""), "n").has_value());
}

} // namespace

int main() {
    return test::run("broker_audit",
                     {TEST(a_line_says_who_did_what_and_only_a_hash_of_the_input),
                      TEST(the_chain_goes_on_over_restarts), TEST(every_change_is_seen),
                      TEST(a_line_that_a_crash_cut_is_taken_off),
                      TEST(a_log_that_is_none_is_not_written_to), TEST(names_cannot_break_a_line),
                      TEST(words_are_read_strictly)});
}
