// The list of De-Mail domains (contracts.md, "The domain list").
#include "check.hpp"
#include "message/domain_set.hpp"

using demail::DomainSet;
using demail::DomainState;

namespace {

std::string state(const DomainSet &set, std::string_view domain) {
    const auto found = set.find(domain);
    return !found ? "(none)" : std::string(demail::name(*found));
}

DomainSet read(std::string_view text) {
    auto set = DomainSet::parse(text);
    CHECK(set.has_value());
    return std::move(*set);
}

} // namespace

static void de_mail_de_and_its_sub_domains_are_always_de_mail() {
    for (const DomainSet &set :
         {DomainSet(), read(""), read("de-mail.de ended\n.de-mail.de ended\n")}) {
        CHECK_EQUAL(state(set, "de-mail.de"), "active");
        CHECK_EQUAL(state(set, "firm.de-mail.de"), "active");
        CHECK_EQUAL(state(set, "a.b.De-Mail.de"), "active");
    }
    DomainSet set;
    set.set("de-mail.de", DomainState::ended);
    set.erase("de-mail.de");
    set.erase(".de-mail.de");
    CHECK_EQUAL(state(set, "de-mail.de"), "active");
    CHECK_EQUAL(state(set, "firm.de-mail.de"), "active");
}

static void a_name_that_only_looks_alike_is_not_covered() {
    const DomainSet set;
    for (const char *domain :
         {"xde-mail.de", "de-mail.de.example", "mail.de", "de", "", ".", "..", "example.org"})
        CHECK_EQUAL(state(set, domain), "(none)");
}

static void a_domain_covers_itself_and_a_dot_its_sub_domains_alone() {
    const auto set = read("firm.example active\n.town.example active\n");
    CHECK_EQUAL(state(set, "firm.example"), "active");
    CHECK_EQUAL(state(set, "a.firm.example"), "(none)");
    CHECK_EQUAL(state(set, "a.b.town.example"), "active");
    CHECK_EQUAL(state(set, "town.example"), "(none)");
}

static void the_nearest_entry_decides() {
    const auto set = read(".example active\n.gone.example ended\nold.de-mail.de ended\n");
    CHECK_EQUAL(state(set, "a.example"), "active");
    CHECK_EQUAL(state(set, "a.gone.example"), "ended");
    CHECK_EQUAL(state(set, "old.de-mail.de"), "ended");
    CHECK_EQUAL(state(set, "a.old.de-mail.de"), "active");
}

static void comments_empty_lines_and_bare_domains_are_read() {
    const auto set =
        read("# by the relay\n\n   \n\t# indented\nFirm.Example\r\ngone.example\tended\n"
             "town.example hinted");
    CHECK_EQUAL(state(set, "firm.example"), "active");
    CHECK_EQUAL(state(set, "gone.example"), "ended");
    CHECK_EQUAL(state(set, "town.example"), "hinted");
    CHECK_EQUAL(set.all().size(), 5U);
}

static void one_bad_line_spoils_the_list() {
    for (const char *text :
         {"firm.example aktive\n", "firm.example active now\n", "*.example active\n",
          "firm example.org\n", "[192.0.2.1] active\n", "bücher.example active\n",
          "firm.example. active\n", ". active\n", "..example active\n", "firm..example\n",
          "a.example active\n b.example active\n", "a@b.example active\n", "<html>\n",
          "a.example active\na.example ended\n"})
        CHECK(!DomainSet::parse(text).has_value());
    CHECK(!DomainSet::parse(std::string_view("a.example\0 active\n", 18)).has_value());
}

static void what_is_written_is_sorted_and_reads_back() {
    DomainSet set;
    set.set("z.example", DomainState::active);
    set.set("a.example", DomainState::ended);
    set.set("b.example", DomainState::hinted);
    CHECK_EQUAL(set.str(), ".de-mail.de active\na.example ended\nb.example hinted\n"
                           "de-mail.de active\n"
                           "z.example active\n");
    CHECK(read(set.str()).all() == set.all());
    set.erase("a.example");
    CHECK_EQUAL(state(set, "a.example"), "(none)");
}

int main() {
    return demail::test::run(
        "domain set",
        {TEST(de_mail_de_and_its_sub_domains_are_always_de_mail),
         TEST(a_name_that_only_looks_alike_is_not_covered),
         TEST(a_domain_covers_itself_and_a_dot_its_sub_domains_alone),
         TEST(the_nearest_entry_decides), TEST(comments_empty_lines_and_bare_domains_are_read),
         TEST(one_bad_line_spoils_the_list), TEST(what_is_written_is_sorted_and_reads_back)});
}
