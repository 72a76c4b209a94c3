#include "check.hpp"
#include "programs/ctl_selftest.hpp"

#include <algorithm>
#include <map>

using namespace demail::ctl;

namespace {

using Outcome = Probe::Outcome;
using Entries = std::map<std::string, std::string>; // "table key": value

Probe judged(const std::string &address, const std::vector<std::string> &tables,
             const Entries &entries, const std::string &silent = "") {
    return judge_probe(address, tables, [&](const std::string &table, const std::string &key) {
        const auto found = entries.find(table + " " + key);
        return found == entries.end() ? TableFacts::Answer{table != silent, {}}
                                      : TableFacts::Answer{true, found->second};
    });
}

} // namespace

static void what_no_table_knows_leaves() {
    CHECK(judged("a@x.de-mail.de", {"hash:/t"}, {}).outcome == Outcome::leaves);
    CHECK(judged("a@x.de-mail.de", {}, {}).outcome == Outcome::leaves);
}

static void the_whole_address_is_asked_for_in_every_table_before_the_domain() {
    const Entries entries{{"hash:/first x.de-mail.de", "demail:unix:s"},
                          {"hash:/second a@x.de-mail.de", "smtp:[y]"}};
    const Probe probe = judged("a@x.de-mail.de", {"hash:/first", "hash:/second"}, entries);
    CHECK(probe.outcome == Outcome::leaves);
    CHECK_EQUAL(probe.table, "hash:/second");
}

static void a_parent_is_asked_for_with_its_dot() {
    CHECK(judged("a@x.y.de-mail.de", {"hash:/t"}, {{"hash:/t .de-mail.de", "demail:unix:s"}})
              .outcome == Outcome::relay);
    CHECK(judged("a@x.y.de-mail.de", {"hash:/t"}, {{"hash:/t de-mail.de", "demail:unix:s"}})
              .outcome == Outcome::leaves);
}

static void a_table_of_patterns_is_asked_for_the_whole_address_alone() {
    CHECK(judged("a@x.de-mail.de", {"regexp:/t"}, {{"regexp:/t x.de-mail.de", "demail:unix:s"}})
              .outcome == Outcome::leaves);
    CHECK(judged("a@x.de-mail.de", {"regexp:/t"}, {{"regexp:/t a@x.de-mail.de", "error:5.1.3 no"}})
              .outcome == Outcome::refused);
}

static void what_comes_behind_a_silent_table_cannot_be_told() {
    const Entries entries{{"hash:/t x.de-mail.de", "demail:unix:s"},
                          {"regexp:/first a@x.de-mail.de", "error:5.1.3 no"}};
    CHECK(judged("a@x.de-mail.de", {"ldap:/l", "hash:/t"}, entries, "ldap:/l").outcome ==
          Outcome::unknown);
    CHECK(judged("a@x.de-mail.de", {"regexp:/first", "ldap:/l"}, entries, "ldap:/l").outcome ==
          Outcome::refused);
}

static void the_probes_are_at_a_domain_of_their_own_and_at_one_elsewhere() {
    const auto has = [](const std::vector<std::string> &all, const std::string &one) {
        return std::find(all.begin(), all.end(), one) != all.end();
    };
    CHECK(has(probe_addresses(""), "probe@leak-probe.de-mail.de"));
    const auto both = probe_addresses("town.example");
    CHECK(has(both, "probe%town.example@relay.example"));
    CHECK(both.size() > probe_addresses("").size());
}

int main() {
    return demail::test::run("ctl selftest",
                             {TEST(what_no_table_knows_leaves),
                              TEST(the_whole_address_is_asked_for_in_every_table_before_the_domain),
                              TEST(a_parent_is_asked_for_with_its_dot),
                              TEST(a_table_of_patterns_is_asked_for_the_whole_address_alone),
                              TEST(what_comes_behind_a_silent_table_cannot_be_told),
                              TEST(the_probes_are_at_a_domain_of_their_own_and_at_one_elsewhere)});
}
