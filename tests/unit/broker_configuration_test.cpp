// /etc/demail/cardd.toml.
#include "broker/configuration.hpp"
#include "check.hpp"
#include "temporary_directory.hpp"

#include <sys/stat.h>

#include <fstream>
#include <string>
#include <variant>

using namespace demail;
using namespace demail::broker;

namespace {

Configuration good(const std::string &text) {
    auto read = parse_configuration(text, "cardd.toml");
    if (const auto *faults = std::get_if<std::vector<ConfigurationFault>>(&read))
        throw test::Failure{faults->front().str(), __FILE__, __LINE__};
    return std::get<Configuration>(std::move(read));
}

/// The first fault; empty where there is none.
std::string fault(const std::string &text) {
    const auto read = parse_configuration(text, "cardd.toml");
    const auto *faults = std::get_if<std::vector<ConfigurationFault>>(&read);
    return faults == nullptr ? "" : faults->front().str();
}

bool says(const std::string &sentence, const std::string &words) {
    if (sentence.find(words) != std::string::npos) return true;
    throw test::Failure{"\"" + sentence + "\" does not say \"" + words + "\"", __FILE__, __LINE__};
}

void without_anything_every_card_serves_the_relay_alone() {
    const Configuration configuration = good("");
    CHECK_EQUAL(configuration.socket, "/run/demail-cardd/socket");
    CHECK_EQUAL(configuration.state, "/var/lib/demail-cardd");
    CHECK_EQUAL(configuration.tokens.size(), 1U);
    CHECK(configuration.tokens[0].fits_reader("any reader"));
    CHECK(configuration.tokens[0].fits_serial("89490000000000000000"));
    CHECK_EQUAL(configuration.allowed.size(), 2U);
    CHECK_EQUAL(configuration.allowed[0].key, "demail-auth");
    CHECK_EQUAL(configuration.allowed[1].key, "demail-sign");
    CHECK_EQUAL(configuration.allowed[1].user, "demail-relay");
}

void the_example_of_the_contract_is_understood() {
    const Configuration configuration = good(R"(
[daemon]
socket = "/run/demail-cardd/socket"
state = "/var/lib/demail-cardd"
[[token]]
backend = "tcos"
reader = "SCM Microsystems Inc. SCR 3310 00 00"
serial = "89490171234567890123"
pin_file = "/run/credentials/demail-cardd.service/pin"
reserve_tries = 2
[[token]]
backend = "module"
module = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"
[[allow]]
key = "demail-*"
group = "demail-card"
per_minute = 600
)");
    CHECK_EQUAL(configuration.tokens.size(), 2U);
    CHECK(configuration.tokens[1].back_end == BackEnd::module);
    CHECK_EQUAL(configuration.allowed[0].group, "demail-card");
}

void a_pin_file_needs_one_card_in_one_reader() {
    const std::string token = "[[token]]\npin_file = \"/etc/demail/pin\"\n";
    const std::string serial = "serial = \"89490171234567890123\"\n";
    says(fault(token + "reader = \"a reader\"\n"), "needs serial");
    says(fault(token + serial), "exact name of the reader");
    says(fault(token + serial + "reader = \"SCM*\"\n"), "exact name of the reader");
    CHECK_EQUAL(fault(token + serial + "reader = \"SCM 00 00\"\n"), "");
}

void faults_have_their_place_and_a_sentence() {
    CHECK_EQUAL(fault("[daemon]\nsokcet = \"/x\"\n"),
                "cardd.toml:2:1: unknown key \"sokcet\" in [daemon]; the nearest known key is "
                "\"socket\".");
    says(fault("[[token]]\nbackend = \"opensc\"\n"), "\"tcos\" or \"module\"");
    says(fault("[[token]]\nbackend = \"module\"\n"), "has no module");
    says(fault("[[token]]\nmodule = \"/x.so\"\n"), "needs backend = \"module\"");
    says(fault("[[token]]\nserial = \"1234\"\n"), "ICCSN");
    says(fault("[[token]]\nreserve_tries = 0\n"), "from 1 to 15");
    says(fault("[[token]]\n[[token]]\n"), "two [[token]]");
    says(fault("[[allow]]\nuser = \"root\"\n"), "has no key");
    says(fault("[[allow]]\nkey = \"*\"\n"), "a user or a group");
    says(fault("[[allow]]\nkey = \"*\"\nuser = \"a\"\ngroup = \"b\"\n"), "a user or a group");
    says(fault("[[allow]]\nkey = \"*\"\nuser = \"a\"\nper_minute = -1\n"), "from 0 to");
    says(fault("[daemon\n"), "cardd.toml:1:");
    says(fault(std::string((4 << 20) + 1, ' ')), "larger");
}

void the_last_16_digits_of_a_serial_name_the_card_too() {
    TokenRule rule;
    rule.serial = "0171234567890123";
    CHECK(rule.fits_serial("89490171234567890123"));
    CHECK(!rule.fits_serial("89490171234567890124"));
    rule.serial = "89490171234567890123";
    CHECK(!rule.fits_serial("0171234567890123"));
}

void a_star_stands_for_any_text() {
    CHECK(fits("*", ""));
    CHECK(fits("demail-*", "demail-auth"));
    CHECK(!fits("demail-*", "netkey"));
    CHECK(fits("*a*b*", "xaxxbx"));
    CHECK(!fits("*a*b", "xaxxbx"));
    CHECK(fits("a*a", "aa"));
    CHECK(!fits("a*a", "a"));
    CHECK(!fits("", "a"));
}

void files_are_checked_by_their_mode() {
    const test::TemporaryDirectory directory;
    const std::string pin = directory.path() + "/pin";
    std::ofstream(pin) << "123456\n";
    Configuration configuration = good("");
    configuration.state = directory.path();
    configuration.tokens[0].pin_file = pin;
    ::chmod(pin.c_str(), 0604);
    CHECK_EQUAL(check_files(configuration, "cardd.toml").faults.size(), 1U);
    ::chmod(pin.c_str(), 0440);
    CHECK_EQUAL(check_files(configuration, "cardd.toml").faults.size(), 0U);
    // Another one's credentials are not there outside its unit.
    configuration.tokens[0].pin_file = "/run/credentials/demail-cardd.service/pin-of-the-test";
    CHECK_EQUAL(check_files(configuration, "cardd.toml").faults.size(), 0U);
    configuration.tokens[0].pin_file = directory.path() + "/none";
    CHECK_EQUAL(check_files(configuration, "cardd.toml").faults.size(), 1U);
    configuration.tokens[0].pin_file.clear();
    ::chmod(directory.path().c_str(), 0777);
    CHECK_EQUAL(check_files(configuration, "cardd.toml").faults.size(), 1U);
}

} // namespace

int main() {
    return test::run("broker_configuration",
                     {TEST(without_anything_every_card_serves_the_relay_alone),
                      TEST(the_example_of_the_contract_is_understood),
                      TEST(a_pin_file_needs_one_card_in_one_reader),
                      TEST(faults_have_their_place_and_a_sentence),
                      TEST(the_last_16_digits_of_a_serial_name_the_card_too),
                      TEST(a_star_stands_for_any_text), TEST(files_are_checked_by_their_mode)});
}
