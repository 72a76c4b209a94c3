// Mail that says of itself that no person sent it to this recipient: no De-Mail without a rule.
#include "check.hpp"
#include "filter/automatic.hpp"
#include "filter_fixture.hpp"

using namespace demail;
using demail::test::Firm;

/// The field that the objection names; "" for no objection.
static std::string objected_to(const HeaderFields &fields, bool automatic = false) {
    SenderRule rule = test::rule("*@firm.example", "*@firm.de-mail.de");
    rule.automatic = automatic;
    const auto objection = filter::objection_to_automatic(fields, rule);
    if (!objection) return "";
    constexpr std::string_view begin = "The field ";
    CHECK(objection->sentence.starts_with(begin));
    const std::string rest = objection->sentence.substr(begin.size());
    return rest.substr(0, rest.find(" says "));
}

static void whatever_auto_submitted_says_but_no_is_automatic() {
    for (const char *value :
         {" auto-generated", " auto-replied", " AUTO-REPLIED", " auto-notified; owner=x", " yes",
          " (no) auto-generated", " nope", " no such thing", " \"no\"", "", " (unclosed"})
        CHECK_EQUAL(objected_to({{"Auto-Submitted", value}}), "Auto-Submitted");
    for (const char *value :
         {" no", "no", " No", " no; by=hand", " (really) no (it was me)", "\r\n no", " no ; x=y"})
        CHECK_EQUAL(objected_to({{"Auto-Submitted", value}}), "");
}

static void one_of_several_fields_is_enough() {
    CHECK_EQUAL(objected_to({{"Auto-Submitted", " no"}, {"auto-submitted ", " auto-replied"}}),
                "auto-submitted");
}

static void precedence_of_bulk_list_and_junk() {
    for (const char *value : {" bulk", " list", " junk", " BULK", " bulk (newsletter)"})
        CHECK_EQUAL(objected_to({{"Precedence", value}}), "Precedence");
    for (const char *value : {" first-class", " special-delivery", "", " bulky"})
        CHECK_EQUAL(objected_to({{"Precedence", value}}), "");
}

static void each_field_of_a_list() {
    for (const char *name : {"List-Id", "List-Help", "List-Unsubscribe", "List-Subscribe",
                             "List-Post", "List-Owner", "List-Archive", "LIST-ID"})
        CHECK_EQUAL(objected_to({{"From", " a@b.example"}, {name, " NO"}}), name);
}

static void a_letter_of_a_person_has_none_of_them() {
    CHECK_EQUAL(objected_to({{"From", " a@b.example"},
                             {"Subject", " Auto-Submitted: auto-replied"},
                             {"X-Auto-Response-Suppress", " All"},
                             {"X-List-Id", " x"},
                             {"Listing", " x"}}),
                "");
}

static void a_rule_allows_it() {
    for (const char *name : {"Auto-Submitted", "List-Id"})
        CHECK_EQUAL(objected_to({{name, " auto-generated"}}, true), "");
}

static void a_de_mail_is_refused_and_ordinary_mail_is_let_go() {
    Firm firm;
    firm.mail_from_anna();
    CHECK_EQUAL(firm.rcpt("<ida@internet.example>"), "250");
    CHECK_EQUAL(firm.annas_header({{"List-Id", " <news.firm.example>"}}), "let go");
    firm.mail_from_anna();
    CHECK_EQUAL(firm.rcpt("<bob@x.de-mail.de>"), "250");
    CHECK_EQUAL(firm.annas_header({{"List-Id", " <news.firm.example>"}}),
                "550 5.7.1 The field List-Id says that this message comes from a mailing list, and "
                "this sender may send De-Mails by hand only; ask the administrator for a rule with "
                "automatic = true.");
}

int main() {
    return test::run("filter_automatic",
                     {TEST(whatever_auto_submitted_says_but_no_is_automatic),
                      TEST(one_of_several_fields_is_enough), TEST(precedence_of_bulk_list_and_junk),
                      TEST(each_field_of_a_list), TEST(a_letter_of_a_person_has_none_of_them),
                      TEST(a_rule_allows_it),
                      TEST(a_de_mail_is_refused_and_ordinary_mail_is_let_go)});
}
