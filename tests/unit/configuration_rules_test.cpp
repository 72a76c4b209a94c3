// [[account.sender]] of demail.toml: rules that say something else than they seem to are faults.
#include "check.hpp"
#include "configuration_text.hpp"

using demail::Configuration;
using demail::ConfigurationFault;
using namespace demail::test;

static void a_rule_that_lets_everybody_send_is_a_fault() {
    CHECK(contains(rule_fault("from = \"*@a.example\"\nas = \"*@firm.de-mail.de\"\n"),
                   "anybody could send"));
}

static void a_star_needs_a_star_in_from() {
    CHECK(contains(rule_fault("from = \"a@a.example\"\nas = \"*@firm.de-mail.de\"\n"
                              "login = \"a\"\n"),
                   "f:14:6: * in as"));
    CHECK(contains(rule_fault("from = \"a@a.example\"\nas = \"a@firm.de-mail.de\"\n"
                              "login = \"*\"\n"),
                   "f:15:9: * in login"));
}

static void a_star_is_a_whole_local_part() {
    for (const std::string from : {"a*@a.example", "*a@a.example", "a@*.example", "*"})
        CHECK(contains(
            rule_fault("from = \"" + from + "\"\nas = \"a@firm.de-mail.de\"\nlogin = \"a\"\n"),
            "f:13:8: from"));
}

static void a_rule_sends_as_the_accounts_domains_only() {
    CHECK(contains(rule_fault("from = \"a@a.example\"\nas = \"a@other.de-mail.de\"\n"
                              "login = \"a\"\n"),
                   "f:14:6: the domain of as"));
}

static void a_local_rule_names_one_address_and_nothing_else() {
    CHECK_EQUAL(rule_fault("from = \"a@a.example\"\nas = \"a@firm.de-mail.de\"\nlocal = true\n"),
                "");
    CHECK(contains(rule_fault("from = \"*@a.example\"\nas = \"a@firm.de-mail.de\"\n"
                              "local = true\n"),
                   "without *"));
    CHECK(contains(rule_fault("from = \"a@a.example\"\nas = \"a@firm.de-mail.de\"\n"
                              "local = true\nlogin = \"a\"\n"),
                   "neither login nor network"));
}

static void networks_are_checked_and_the_loopback_is_a_warning() {
    const std::string rule = "from = \"*@a.example\"\nas = \"*@firm.de-mail.de\"\nnetwork = ";
    CHECK(contains(rule_fault(rule + "[\"10.0.0.1/8\"]\n"), "f:15:12: network"));
    CHECK(contains(rule_fault(rule + "[]\n"), "f:15:11: network"));
    const Configuration c = good(with_rule(rule + "[\"127.0.0.0/8\"]\n"));
    CHECK_EQUAL(c.warnings.size(), 1U);
    CHECK(c.warnings.at(0).str().starts_with("f:15:12: warning: network"));
}

static void options_are_known_ones() {
    CHECK(contains(rule_fault("from = \"a@a.example\"\nas = \"a@firm.de-mail.de\"\nlogin = \"a\"\n"
                              "allow = [\"confirmation-of-reciept\"]\n"),
                   "f:16:10: unknown option \"confirmation-of-reciept\" in allow; the nearest "
                   "known option is \"confirmation-of-receipt\"."));
}

int main() {
    return demail::test::run(
        "configuration_rules",
        {TEST(a_rule_that_lets_everybody_send_is_a_fault), TEST(a_star_needs_a_star_in_from),
         TEST(a_star_is_a_whole_local_part), TEST(a_rule_sends_as_the_accounts_domains_only),
         TEST(a_local_rule_names_one_address_and_nothing_else),
         TEST(networks_are_checked_and_the_loopback_is_a_warning), TEST(options_are_known_ones)});
}
