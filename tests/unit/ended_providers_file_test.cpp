// The shipped list of ended providers, and the operator's.
#include "admin/ended_providers_file.hpp"
#include "check.hpp"
#include "temporary_directory.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>

using namespace demail;

namespace {

std::string shipped_list() {
    const char *source = std::getenv("SRCDIR");
    return std::string(source == nullptr ? "." : source) + "/contrib/ended-providers.toml";
}

struct Host {
    test::TemporaryDirectory directory;
    Configuration configuration;

    explicit Host(const std::string &own) {
        configuration.shipped_ended_providers = shipped_list();
        configuration.ended_providers = directory.path() + "/own.toml";
        std::ofstream(configuration.ended_providers) << own;
    }
    [[nodiscard]] EndedProvidersRead read() const { return read_ended_providers(configuration); }
};

/// "line:column: sentence" each.
std::string faults_of(const std::string &text) {
    EndedProvidersRead read;
    take_ended_providers(text, "f", read);
    std::string all;
    for (const ConfigurationFault &one : read.faults)
        all += one.str() + "\n";
    return all;
}

constexpr const char *good = R"([[ended]]
provider = "Old Post"
domains = ["Old.Example", "b.example"]
subdomains = true
date = "2022-08-31"
source = "https://source.example"
)";

} // namespace

static void the_shipped_list_is_good_and_every_entry_has_a_source() {
    const auto read = Host("").read();
    CHECK(read.faults.empty() && read.warnings.empty());
    CHECK(read.providers.find("webde.de-mail.de", "2026-11-29") != nullptr);
    CHECK(read.providers.find("firm.de-mail.de", "2026-11-29") == nullptr);
    for (const auto &[domain, entry] : read.providers.all())
        CHECK(entry.provider->source.starts_with("https://"));
}

static void the_operators_file_adds_to_it() {
    const auto read = Host(good).read();
    CHECK(read.faults.empty());
    CHECK_EQUAL(read.providers.find("x.old.example", "2022-09-01")->name, "Old Post");
    CHECK(read.providers.find("webde.de-mail.de", "2026-11-29") != nullptr);
}

static void the_operators_word_wins() {
    std::string text = good;
    text.replace(text.find("Old.Example"), 11, "webde.de-mail.de");
    const auto read = Host(text).read();
    CHECK_EQUAL(read.providers.find("webde.de-mail.de", "2026-11-29")->name, "Old Post");
    const auto active = Host("still_active = [\"webde.de-mail.de\"]\n").read();
    CHECK(active.faults.empty());
    CHECK(active.providers.find("webde.de-mail.de", "2026-11-29") == nullptr);
}

static void a_fault_is_said_with_its_place() {
    CHECK_EQUAL(faults_of(good), "");
    const auto with = [](std::string from, const std::string &to) {
        std::string text = good;
        text.replace(text.find(from), from.size(), to);
        return faults_of(text);
    };
    CHECK_EQUAL(with("2022-08-31", "31.8.2022"),
                "f:5:8: date in [[ended]] must be a day, \"2022-08-31\", or a month, "
                "\"2025-05\".\n");
    CHECK_EQUAL(with("b.example", "de-mail.de"),
                "f:3:27: de-mail.de is all providers' and cannot end with one.\n");
    CHECK_EQUAL(with("b.example", "*.example"), "f:3:27: \"*.example\" in domains is no domain.\n");
    CHECK_EQUAL(with("b.example", "de"), "f:3:27: \"de\" in domains is no domain.\n");
    for (const char *name : {"Post\u00e4mter", "two\\nlines", ""})
        CHECK(with("Old Post", name).starts_with("f:2:12: "));
    CHECK(with("Old Post", std::string(101, 'x')).starts_with("f:2:12: "));
    CHECK(with("source = ", "sorce = ").find("f:6:1: unknown key") != std::string::npos);
    CHECK(with("date = ", "# ").find("date") != std::string::npos);
    CHECK(with("domains = ", "# ").find("[[ended]] has no domains.") != std::string::npos);
    CHECK(faults_of("[[ended]\n").starts_with("f:1:"));
}

static void a_file_that_is_named_must_be_there() {
    Host host("");
    host.configuration.ended_providers += ".not";
    CHECK_EQUAL(host.read().faults.at(0).str(),
                host.configuration.ended_providers + ": there is no such file.");
}

static void without_the_shipped_list_there_is_a_warning_and_the_own_one_counts() {
    Host host(good);
    host.configuration.shipped_ended_providers += ".not";
    const auto read = host.read();
    CHECK(read.faults.empty());
    CHECK_EQUAL(read.warnings.size(), 1U);
    CHECK(read.providers.find("old.example", "2022-09-01") != nullptr);
}

static void a_domain_of_our_own_senders_is_a_fault() {
    Host host(good);
    SenderRule rule;
    rule.from = *AddressPattern::parse("*@old.example");
    host.configuration.rules = SenderRules(std::vector<SenderRule>{rule});
    CHECK(host.read().faults.at(0).str().find("old.example is a domain of your own senders") !=
          std::string::npos);
}

static void check_config_tells_of_it() {
    Host host("[[ended]]\n");
    const auto faults = check_files(host.configuration, "demail.toml", false);
    CHECK(std::any_of(faults.begin(), faults.end(), [&](const ConfigurationFault &one) {
        return one.file == host.configuration.ended_providers && one.line == 1;
    }));
}

int main() {
    return test::run(
        "ended_providers_file",
        {TEST(the_shipped_list_is_good_and_every_entry_has_a_source),
         TEST(the_operators_file_adds_to_it), TEST(the_operators_word_wins),
         TEST(a_fault_is_said_with_its_place), TEST(a_file_that_is_named_must_be_there),
         TEST(without_the_shipped_list_there_is_a_warning_and_the_own_one_counts),
         TEST(a_domain_of_our_own_senders_is_a_fault), TEST(check_config_tells_of_it)});
}
