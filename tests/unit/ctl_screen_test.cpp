// How demailctl writes to a person, and what it makes of the relay's words.
#include "check.hpp"
#include "programs/ctl_domain_files.hpp"
#include "programs/ctl_screen.hpp"
#include "programs/ctl_status.hpp"

#include <unistd.h>

#include <cstdlib>

using namespace demail;
using namespace demail::ctl;

namespace {

const Screen plain{false};
const Screen coloured{true};

Finding find(const std::vector<Finding> &all, std::string_view name) {
    for (const Finding &one : all)
        if (one.name == name) return one;
    throw std::runtime_error("no finding " + std::string(name));
}

} // namespace

static void columns_are_as_wide_as_their_widest_text() {
    Table table({"A", "LONG"});
    table.add({"first", "x"});
    table.add({"Grüße", "y", "z"});
    table.add({"b", "", ""});
    CHECK_EQUAL(table.str(plain), "A      LONG\n"
                                  "first  x\n"
                                  "Grüße  y     z\n"
                                  "b\n");
}

static void colours_do_not_move_columns() {
    Table table;
    table.add({{"good", Tone::good}, "a"});
    table.add({{"unknown", Tone::warning}, "b"});
    CHECK_EQUAL(table.str(plain), "good     a\nunknown  b\n");
    CHECK_EQUAL(table.str(coloured), "\x1b[32mgood\x1b[0m     a\n\x1b[33munknown\x1b[0m  b\n");
}

static void what_comes_from_outside_cannot_steer_the_terminal() {
    Table table;
    table.add({{"\x1b[2Ja\nb", Tone::bad}, "\xff"});
    CHECK_EQUAL(table.str(plain), "\\x1b[2Ja\\x0ab  \\xff\n");
    CHECK_EQUAL(visible("a \"b\" \\c \xe2\x80\xae"), "a \"b\" \\c \\xe2\\x80\\xae");
}

static void no_colours_but_on_a_terminal() {
    int ends[2];
    CHECK(::pipe(ends) == 0);
    CHECK_EQUAL(Screen::of(ends[1]).paint("a", Tone::bad), "a");
    ::close(ends[0]);
    ::close(ends[1]);
}

static void moments_are_utc() {
    CHECK_EQUAL(moment(1774958400), "2026-03-31 12:00:00 UTC");
    CHECK_EQUAL(moment(0), "never");
}

static void bad_weighs_more_than_unknown() {
    CHECK(worse(Verdict::unknown, Verdict::bad) == Verdict::bad);
    CHECK_EQUAL(exit_of(worse(Verdict::good, Verdict::unknown)), 2);
    CHECK_EQUAL(exit_of(worse(Verdict::bad, Verdict::good)), 1);
}

static void a_suspended_account_is_bad_and_the_way_out_is_said() {
    const auto all = findings_of(nlohmann::json::parse(R"({
        "accounts": [{"name": "firm", "provider": "p", "suspended": "login refused"},
                     {"name": "shop", "provider": "p", "suspended": null}],
        "domains": {"active": 3, "ended": 1, "waiting": ["new.example"], "alarm": "",
                    "refreshed": 1774958400}})"));
    CHECK(find(all, "account firm").verdict == Verdict::bad);
    CHECK_EQUAL(find(all, "account firm").sentence,
                "is suspended: login refused. When that is mended: demailctl resume firm");
    CHECK(find(all, "account shop").verdict == Verdict::good);
    CHECK(find(all, "providers' domains").verdict == Verdict::good);
    CHECK_EQUAL(find(all, "providers' domains").sentence,
                "3 active, 1 ended, last answer 2026-03-31 12:00:00 UTC; 1 to be accepted, see "
                "demailctl domains");
}

static void an_alarm_of_the_domain_list_is_bad() {
    const auto all = findings_of(nlohmann::json::parse(
        R"({"accounts": [], "domains": {"alarm": "9 % changed", "refreshed": 1}})"));
    CHECK(find(all, "providers' domains").verdict == Verdict::bad);
    CHECK_EQUAL(find(all, "providers' domains").sentence, "9 % changed");
}

static void hints_that_cannot_be_read_are_bad_and_the_list_stays_good() {
    const auto all = findings_of(nlohmann::json::parse(
        R"({"accounts": [], "domains": {"alarm": "", "hintsAlarm": "no file", "refreshed": 1}})"));
    CHECK(find(all, "providers' domains").verdict == Verdict::good);
    CHECK(find(all, "hints").verdict == Verdict::bad);
    CHECK_EQUAL(find(all, "hints").sentence, "no file");
}

static void a_provider_that_never_answered_is_not_called_good() {
    const auto all = findings_of(nlohmann::json::parse(
        R"({"accounts": [{"name": "firm"}], "domains": {"alarm": "", "refreshed": 0}})"));
    CHECK(find(all, "providers' domains").verdict == Verdict::unknown);
}

static void domains_of_one_text_alone_are_told_apart() {
    DomainSet text, indexed;
    text.set("a.example", DomainState::active);
    indexed.set("b.example", DomainState::active);
    text.set("c.example", DomainState::ended);
    indexed.set("c.example", DomainState::active);
    std::string said;
    for (const ListedDomain &one : listed_domains(text, indexed))
        if (!one.domain.ends_with("de-mail.de"))
            said += one.domain +
                    (one.where == ListedDomain::Where::both        ? " both"
                     : one.where == ListedDomain::Where::text_only ? " text"
                                                                   : " index") +
                    (one.state == DomainState::ended ? " ended\n" : " active\n");
    // The text's state is the one that the milter goes by.
    CHECK_EQUAL(said, "a.example text active\nb.example index active\nc.example both ended\n");
}

int main() {
    return test::run("demailctl's screen",
                     {TEST(columns_are_as_wide_as_their_widest_text),
                      TEST(colours_do_not_move_columns),
                      TEST(what_comes_from_outside_cannot_steer_the_terminal),
                      TEST(no_colours_but_on_a_terminal), TEST(moments_are_utc),
                      TEST(bad_weighs_more_than_unknown),
                      TEST(a_suspended_account_is_bad_and_the_way_out_is_said),
                      TEST(an_alarm_of_the_domain_list_is_bad),
                      TEST(hints_that_cannot_be_read_are_bad_and_the_list_stays_good),
                      TEST(a_provider_that_never_answered_is_not_called_good),
                      TEST(domains_of_one_text_alone_are_told_apart)});
}
