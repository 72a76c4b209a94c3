// The accounts' senders_files as the daemons follow them, and their age.
#include "admin/senders.hpp"
#include "check.hpp"
#include "temporary_directory.hpp"

#include <sys/stat.h>
#include <sys/time.h>

#include <filesystem>
#include <fstream>

using namespace demail;

namespace {

const std::string anna = "anna@firm.example anna@firm.de-mail.de login=anna\n";
const std::string bea = "bea@firm.example bea@firm.de-mail.de login=bea\n";

struct Host {
    test::TemporaryDirectory directory;
    std::string file = directory.path() + "/senders";
    Configuration configuration;
    std::chrono::steady_clock::time_point time{};
    std::int64_t unix_time = 1'700'000'000;
    std::unique_ptr<Senders> senders;

    explicit Host(std::optional<int> max_age = std::nullopt) {
        AccountConfiguration account;
        account.name = "firm";
        account.domains = {"firm.de-mail.de"};
        account.senders_file = file;
        if (max_age) account.senders_max_age = std::chrono::seconds(*max_age);
        configuration.accounts.push_back(account);
        reload();
    }
    void reload() {
        senders = std::make_unique<Senders>(
            configuration, senders.get(),
            SendersFile::Clocks{[this] { return time; }, [this] { return unix_time; }});
    }
    /// In the old one's place, of that age.
    void write(const std::string &text, std::int64_t age = 0, mode_t mode = 0644) const {
        std::ofstream(file + ".new") << text;
        ::chmod((file + ".new").c_str(), mode);
        const timeval at{unix_time - age, 0};
        const timeval both[2] = {at, at};
        ::utimes((file + ".new").c_str(), both);
        std::filesystem::rename(file + ".new", file);
    }
    void pass(int seconds) {
        time += std::chrono::seconds(seconds);
        unix_time += seconds;
    }
    [[nodiscard]] std::string may(const std::string &login) const {
        const auto answer = senders->now()->find(
            {Address::parse(login + "@firm.example"), login, std::nullopt, false});
        return answer.not_known ? "not known" : answer.right ? "may" : "may not";
    }
    [[nodiscard]] std::string faults() const {
        std::string all;
        for (const ConfigurationFault &one : check_senders_files(configuration))
            all += one.str() + "\n";
        return all;
    }
};

bool contains(const std::string &text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

} // namespace

static void a_changed_file_counts_a_second_later_and_a_running_message_keeps_its_rules() {
    Host host;
    host.write(anna);
    CHECK_EQUAL(host.may("anna"), "may");
    const auto before = host.senders->now();
    CHECK(host.senders->now() == before);
    host.write(bea);
    host.pass(1);
    CHECK_EQUAL(host.may("anna"), "may not");
    CHECK_EQUAL(host.may("bea"), "may");
    CHECK(before->find({Address::parse("anna@firm.example"), "anna", std::nullopt, false}).right);
}

static void a_bad_file_leaves_the_last_good_rules() {
    Host host;
    for (const std::string bad : {"anna@firm.example\n", "\x01", "a b login=c\n"}) {
        host.write(anna);
        host.pass(1);
        CHECK_EQUAL(host.may("anna"), "may");
        host.write(bad);
        host.pass(1);
        CHECK_EQUAL(host.may("anna"), "may");
        CHECK(contains(host.faults(), host.file + ":1:"));
        host.reload(); // a reload does not forget them either
        CHECK_EQUAL(host.may("anna"), "may");
    }
    std::filesystem::remove(host.file);
    host.pass(1);
    CHECK_EQUAL(host.may("anna"), "may");
    CHECK(contains(host.faults(), "cannot be read"));
}

static void without_a_good_file_nothing_is_known() {
    Host host;
    CHECK_EQUAL(host.may("anna"), "not known");
    host.write("x\n");
    host.pass(1);
    CHECK_EQUAL(host.may("anna"), "not known");
    host.write(anna, 0, 0666); // anybody could write it
    host.pass(1);
    CHECK_EQUAL(host.may("anna"), "not known");
    CHECK(contains(host.faults(), "run chmod go-w"));
    ::chmod(host.file.c_str(), 0644);
    host.pass(1);
    CHECK_EQUAL(host.may("anna"), "may");
    CHECK_EQUAL(host.faults(), "");
}

static void an_old_file_is_not_known_until_it_is_written_again() {
    Host host(60);
    host.write(anna, 30);
    CHECK_EQUAL(host.may("anna"), "may");
    host.pass(30);
    CHECK_EQUAL(host.may("anna"), "may");
    host.pass(1);
    CHECK_EQUAL(host.may("anna"), "not known");
    CHECK_EQUAL(host.may("stranger"), "not known");
    host.write("x\n"); // written, but bad: the good one is still old
    host.pass(1);
    CHECK_EQUAL(host.may("anna"), "not known");
    host.write(anna);
    host.pass(1);
    CHECK_EQUAL(host.may("anna"), "may");
    host.write(anna, -3600); // from the future it would never be old
    host.pass(1);
    CHECK_EQUAL(host.may("anna"), "not known");
}

static void a_file_without_a_limit_of_age_may_be_old() {
    Host host;
    host.write(anna, 1'000'000'000);
    CHECK_EQUAL(host.may("anna"), "may");
}

static void the_rules_of_demail_toml_come_before_the_file() {
    Host host;
    SenderRule chief;
    chief.account = "firm";
    chief.from = *AddressPattern::parse("anna@firm.example");
    chief.as = *AddressPattern::parse("chief@firm.de-mail.de");
    chief.login = "anna";
    host.configuration.rules = SenderRules(std::vector{chief});
    host.reload();
    host.write(anna + bea);
    const auto rules = host.senders->now();
    const auto right =
        rules->find({Address::parse("anna@firm.example"), "anna", std::nullopt, false}).right;
    CHECK_EQUAL(right->sender.lower(), "chief@firm.de-mail.de");
    CHECK_EQUAL(host.may("bea"), "may");
    CHECK(rules->names_domain("firm.example") && !rules->names_domain("firm.de-mail.de"));
}

int main() {
    return test::run(
        "senders",
        {TEST(a_changed_file_counts_a_second_later_and_a_running_message_keeps_its_rules),
         TEST(a_bad_file_leaves_the_last_good_rules), TEST(without_a_good_file_nothing_is_known),
         TEST(an_old_file_is_not_known_until_it_is_written_again),
         TEST(a_file_without_a_limit_of_age_may_be_old),
         TEST(the_rules_of_demail_toml_come_before_the_file)});
}
