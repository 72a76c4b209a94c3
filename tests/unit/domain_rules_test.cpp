// The domain list under a provider that is wrong, captured or away (contracts.md, "The domain
// list").
#include "check.hpp"
#include "relay/domain_rules.hpp"

using namespace demail::relay;

namespace {

const DomainQuestions nobody_owns_and_dns_agrees{[](const std::string &) { return false; },
                                                 [](const std::string &) { return true; }};
const DomainQuestions dns_is_silent{[](const std::string &) { return false; },
                                    [](const std::string &) { return false; }};

std::vector<std::string> firms(int count) {
    std::vector<std::string> domains;
    for (int i = 0; i < count; ++i)
        domains.push_back("firm" + std::to_string(i) + ".de-mail.de");
    return domains;
}

void names_that_no_provider_may_add() {
    for (const char *text :
         {"*",  "*.de", "*.de-mail.de", "[192.0.2.1]", "192.0.2.1", "2001:db8::1",   "localhost",
          "de", "com",  "co.uk",        "gmail.com",   "GMX.de",    "web.de",        "t-online.de",
          "",   ".",    "a..b",         "a b.de",      "-",         ".firm.example", "github.io"})
        CHECK(never_accepted(text).has_value());
    CHECK_EQUAL(*never_accepted("intranet"), "a single label");
    CHECK_EQUAL(*never_accepted("*.example"), "a wildcard");
    CHECK_EQUAL(*never_accepted("192.0.2.1"), "an IP address");
    CHECK_EQUAL(*never_accepted("co.uk"), "a public suffix, not somebody's domain");
    CHECK_EQUAL(*never_accepted("gmail.com"), "a free-mail provider's domain");
    for (const char *text : {"de-mail.de", "firm.de-mail.de", "firm.example", "gmx.de-mail.de",
                             "xn--mller-kva.example", "m\xc3\xbcller.example"})
        CHECK(!never_accepted(text).has_value());
}

void one_bad_name_does_not_spoil_the_list() {
    DomainMemory memory;
    const auto change =
        take_list(memory, "fp", "1", {"gmail.com", "firm.de-mail.de", "*"}, dns_is_silent);
    CHECK(change.taken);
    CHECK_EQUAL(change.refused.size(), 2U);
    CHECK(memory.providers["fp"].domains == Domains{"firm.de-mail.de"});
}

// The memory is a text file: a line break in a version would have been a line of ours.
void a_version_cannot_write_into_the_memory() {
    DomainMemory memory;
    const std::string version = " 1%\naccepted evil.example\nlisted fp evil.example\r";
    CHECK(take_list(memory, "fp", version, {"firm.de-mail.de"}, dns_is_silent).taken);
    const auto again = DomainMemory::parse(memory.str());
    CHECK(again.has_value());
    CHECK(again->accepted.empty());
    CHECK(again->providers.at("fp").domains == Domains{"firm.de-mail.de"});
    CHECK_EQUAL(again->providers.at("fp").version, version);
}

void our_own_domain_is_refused() {
    DomainMemory memory;
    const DomainQuestions ours{[](const std::string &domain) { return domain == "firm.example"; },
                               [](const std::string &) { return true; }};
    CHECK(take_list(memory, "fp", "1", {"firm.example", "other.example"}, ours).taken);
    CHECK(memory.providers["fp"].domains == Domains{"other.example"});
}

void a_new_domain_outside_waits_for_dns_or_the_operator() {
    DomainMemory memory;
    CHECK(take_list(memory, "fp", "1", {"firm.example"}, dns_is_silent).taken);
    CHECK(memory.providers["fp"].domains.empty());
    CHECK(memory.waiting() == Domains{"firm.example"});
    memory.accepted.insert("firm.example");
    CHECK(take_list(memory, "fp", "1", {"firm.example"}, dns_is_silent).taken);
    CHECK(memory.providers["fp"].domains == Domains{"firm.example"});
    CHECK(memory.waiting().empty());
}

void dns_is_asked_of_a_few_new_names_alone() {
    DomainMemory memory;
    int asked = 0;
    const DomainQuestions slow{[](const std::string &) { return false; },
                               [&](const std::string &) { return ++asked > 0; }};
    std::vector<std::string> names;
    for (int i = 0; i < 5000; ++i)
        names.push_back("n" + std::to_string(i) + ".example");
    CHECK(take_list(memory, "fp", "1", names, slow).taken);
    CHECK_EQUAL(asked, 64);
    CHECK_EQUAL(memory.providers["fp"].domains.size(), 64U);
    CHECK_EQUAL(memory.waiting().size(), 1000U); // of the others
}

void a_name_waits_as_long_as_the_list_has_it() {
    DomainMemory memory;
    (void)take_list(memory, "fp", "1", {"a.example", "b.example"}, dns_is_silent);
    (void)take_list(memory, "mentana", "1", {"c.example"}, dns_is_silent);
    (void)take_list(memory, "fp", "2", {"b.example"}, dns_is_silent);
    CHECK((memory.waiting() == Domains{"b.example", "c.example"}));
}

/// Else every later list of a provider with many of them would be an alarm.
void a_name_that_waits_is_no_change() {
    DomainMemory memory;
    const std::vector<std::string> names{"firm.de-mail.de", "a.example", "b.example"};
    CHECK(take_list(memory, "fp", "1", names, dns_is_silent).taken);
    CHECK(take_list(memory, "fp", "2", names, dns_is_silent).taken);
    CHECK((memory.waiting() == Domains{"a.example", "b.example"}));
    // One that DNS hints at is taken, and that is a change.
    CHECK(!take_list(memory, "fp", "3", names, nobody_owns_and_dns_agrees).taken);
    CHECK(memory.accepted.empty());
    CHECK(memory.providers["fp"].domains == Domains{"firm.de-mail.de"});
}

void a_listed_domain_that_becomes_our_own_has_not_ended() {
    DomainMemory memory;
    std::vector<std::string> names = firms(30);
    names.push_back("firm.example");
    CHECK(take_list(memory, "fp", "1", names, nobody_owns_and_dns_agrees).taken);
    const DomainQuestions ours{[](const std::string &domain) { return domain == "firm.example"; },
                               [](const std::string &) { return true; }};
    CHECK(take_list(memory, "fp", "2", names, ours).taken);
    CHECK(!memory.providers["fp"].domains.contains("firm.example"));
    CHECK(memory.ended.empty());
}

void a_name_of_our_own_does_not_wait() {
    DomainMemory memory;
    const DomainQuestions ours{[](const std::string &domain) { return domain == "firm.example"; },
                               [](const std::string &) { return false; }};
    (void)take_list(memory, "fp", "1", firms(10), ours);
    const auto alarm = take_list(memory, "fp", "2", {"firm.example", "other.example"}, ours);
    CHECK(!alarm.taken);
    CHECK(memory.waiting() == Domains{"other.example"});
    CHECK(take_list(memory, "fp", "3", firms(10), ours).taken);
    CHECK(memory.waiting().empty());
}

void what_dns_confirmed_once_stays_when_dns_falls_silent() {
    DomainMemory memory;
    (void)take_list(memory, "fp", "1", {"firm.example"}, nobody_owns_and_dns_agrees);
    (void)take_list(memory, "fp", "2", {"firm.example"}, dns_is_silent);
    CHECK(memory.providers["fp"].domains == Domains{"firm.example"});
}

void more_than_five_per_cent_at_once_is_an_alarm() {
    DomainMemory memory;
    CHECK(take_list(memory, "fp", "1", firms(100), dns_is_silent).taken);
    CHECK(take_list(memory, "fp", "2", firms(105), dns_is_silent).taken);
    const auto too_many = take_list(memory, "fp", "3", firms(111), dns_is_silent);
    CHECK(!too_many.taken);
    CHECK(too_many.alarm.find("6 of 105") != std::string::npos);
    CHECK_EQUAL(memory.providers["fp"].version, "2");
    CHECK(!take_list(memory, "fp", "4", firms(1), dns_is_silent).taken);
    CHECK(!take_list(memory, "fp", "5", {}, dns_is_silent).taken);
    CHECK_EQUAL(memory.providers["fp"].domains.size(), 105U);
}

void a_domain_that_leaves_the_list_has_ended_and_may_come_back() {
    DomainMemory memory;
    (void)take_list(memory, "fp", "1", firms(100), dns_is_silent);
    CHECK(take_list(memory, "fp", "2", firms(99), dns_is_silent).taken);
    CHECK(memory.ended == Domains{"firm99.de-mail.de"});
    CHECK(take_list(memory, "fp", "3", firms(100), dns_is_silent).taken);
    CHECK(memory.ended.empty());
}

void a_domain_that_another_provider_still_lists_has_not_ended() {
    DomainMemory memory;
    (void)take_list(memory, "fp", "1", firms(100), dns_is_silent);
    (void)take_list(memory, "mentana", "1", {"firm99.de-mail.de"}, dns_is_silent);
    (void)take_list(memory, "fp", "2", firms(99), dns_is_silent);
    CHECK(memory.ended.empty());
}

void the_memory_is_read_as_it_was_written() {
    DomainMemory memory;
    (void)take_list(memory, "fp", "version 1", firms(3), dns_is_silent);
    memory.accepted = {"a.example"};
    memory.ended = {"b.example"};
    memory.providers["fp"].waiting = {"c.example"};
    const auto read = DomainMemory::parse(memory.str());
    CHECK(read.has_value());
    CHECK_EQUAL(read->str(), memory.str());
    CHECK(!DomainMemory::parse("nonsense\n"));
    CHECK(!DomainMemory::parse("accepted\n"));
}

std::string state(const demail::DomainSet &list, const std::string &domain) {
    const auto found = list.find(domain);
    return !found ? "" : std::string(demail::name(*found));
}

void an_ended_provider_wins_over_a_list_that_still_names_its_domain() {
    DomainMemory memory;
    memory.providers["fp"].domains = {"a.old.example", "firm.example", "old.example",
                                      "webde.de-mail.de"};
    demail::EndedProviders ended;
    const auto provider = std::make_shared<demail::EndedProvider>(
        demail::EndedProvider{"Old Post", "2022-08-31", "", ""});
    ended.add("old.example", {provider, true});
    ended.add("webde.de-mail.de", {provider, false});
    const auto list = list_from(memory, ended, "2022-09-01", {});
    CHECK_EQUAL(state(list, "old.example"), "ended");
    CHECK_EQUAL(state(list, "a.old.example"), "ended");
    CHECK_EQUAL(state(list, "b.old.example"), "ended");
    CHECK_EQUAL(state(list, "webde.de-mail.de"), "ended");
    CHECK_EQUAL(state(list, "x.webde.de-mail.de"), "active");
    CHECK_EQUAL(state(list, "firm.example"), "active");
    // On its last day the service still runs.
    CHECK_EQUAL(state(list_from(memory, ended, "2022-08-31", {}), "old.example"), "active");
}

/// old.example, and what lies below it or not.
demail::EndedProviders old_post(bool below) {
    demail::EndedProviders ended;
    ended.add("old.example", {std::make_shared<demail::EndedProvider>(
                                  demail::EndedProvider{"Old Post", "2022-08-31", "", ""}),
                              below});
    return ended;
}

void an_ended_domain_that_no_list_names_is_still_kept_from_the_internet() {
    const auto ended = old_post(false);
    const auto list = list_from({}, ended, "2026-11-29", {});
    CHECK_EQUAL(state(list, "old.example"), "ended");
    CHECK_EQUAL(state(list, "a.old.example"), "");
}

void a_hint_counts_only_where_nothing_else_names_the_domain() {
    DomainMemory memory;
    memory.providers["fp"].domains = {"listed.example"};
    memory.ended = {"gone.example"};
    const auto ended = old_post(true);
    const auto list = list_from(
        memory, ended, "2026-11-29",
        {"a.old.example", "firm.de-mail.de", "gone.example", "listed.example", "town.example"});
    CHECK_EQUAL(state(list, "town.example"), "hinted");
    CHECK_EQUAL(state(list, "a.town.example"), "");
    CHECK_EQUAL(state(list, "listed.example"), "active");
    CHECK_EQUAL(state(list, "firm.de-mail.de"), "active");
    CHECK_EQUAL(state(list, "gone.example"), "ended");
    CHECK_EQUAL(state(list, "a.old.example"), "ended");
    CHECK(!list.all().contains("a.old.example"));
}

void a_hint_never_takes_our_own_domain_or_one_that_no_provider_may_add() {
    const DomainQuestions ours{[](const std::string &domain) { return domain == "firm.example"; },
                               nullptr};
    const auto change = take_hints({"firm.example", "gmx.de", "co.uk", "town.example"}, ours);
    CHECK(change.taken == Domains{"town.example"});
    CHECK_EQUAL(change.refused.size(), 3U);
    CHECK_EQUAL(change.refused[1], "firm.example: one of our own domains");
}

void a_million_domains_take_no_time() {
    DomainMemory memory;
    std::vector<std::string> many = firms(1'000'000);
    CHECK(take_list(memory, "fp", "1", many, dns_is_silent).taken);
    CHECK_EQUAL(memory.providers["fp"].domains.size(), 1'000'000U);
}

} // namespace

int main() {
    return demail::test::run(
        "domain rules",
        {
            TEST(names_that_no_provider_may_add),
            TEST(one_bad_name_does_not_spoil_the_list),
            TEST(a_version_cannot_write_into_the_memory),
            TEST(our_own_domain_is_refused),
            TEST(a_new_domain_outside_waits_for_dns_or_the_operator),
            TEST(dns_is_asked_of_a_few_new_names_alone),
            TEST(a_name_waits_as_long_as_the_list_has_it),
            TEST(a_name_that_waits_is_no_change),
            TEST(a_listed_domain_that_becomes_our_own_has_not_ended),
            TEST(a_name_of_our_own_does_not_wait),
            TEST(what_dns_confirmed_once_stays_when_dns_falls_silent),
            TEST(more_than_five_per_cent_at_once_is_an_alarm),
            TEST(a_domain_that_leaves_the_list_has_ended_and_may_come_back),
            TEST(a_domain_that_another_provider_still_lists_has_not_ended),
            TEST(the_memory_is_read_as_it_was_written),
            TEST(an_ended_provider_wins_over_a_list_that_still_names_its_domain),
            TEST(an_ended_domain_that_no_list_names_is_still_kept_from_the_internet),
            TEST(a_hint_counts_only_where_nothing_else_names_the_domain),
            TEST(a_hint_never_takes_our_own_domain_or_one_that_no_provider_may_add),
            TEST(a_million_domains_take_no_time),
        });
}
