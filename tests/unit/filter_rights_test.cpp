// Who writes for whom, and rules that are not known now: what the milter makes of
// them (contracts.md, "Rights").
#include "check.hpp"
#include "filter_fixture.hpp"

using namespace demail;
using demail::test::Firm;

namespace {

const std::string bob = "<bob@other.de-mail.de>";

/// Anna has her own address and may write for the boss; Zoe may for the boss alone.
std::shared_ptr<const SenderRules> with_delegates() {
    auto rules = test::firm_rules();
    const auto add = [&](const std::string &delegate) {
        SenderRule one = test::rule("boss@firm.example", "direction@firm.de-mail.de");
        one.login = delegate;
        one.delegate = Address::parse(delegate + "@firm.example");
        one.delegate_as = Address::parse(delegate + "@firm.de-mail.de");
        one.allow.set(Option::authoritative);
        rules.insert(rules.begin(), one);
    };
    add("anna");
    add("zoe");
    rules[0].delegate = Address::parse("zoe@desk.example"); // no address of the rules' own
    return std::make_shared<const SenderRules>(std::move(rules));
}

/// What comes of a letter: "take body", or the refusal at RCPT or at the end of the header.
std::string letter(Firm &firm, const std::string &envelope, const std::string &login,
                   const std::vector<HeaderField> &fields) {
    firm.session.mail(envelope, {"192.0.2.7", "587", login, ""});
    const std::string at_rcpt = firm.rcpt(bob);
    if (at_rcpt != "250") return "RCPT " + at_rcpt;
    return firm.header(fields);
}

std::vector<HeaderField> from(const std::string &author, const std::string &sender = "") {
    std::vector<HeaderField> fields{{"From", " " + author}};
    if (!sender.empty()) fields.push_back({"Sender", " " + sender});
    return fields;
}

} // namespace

static void the_delegate_writes_for_the_author_from_either_envelope_sender() {
    for (const std::string envelope : {"anna@firm.example", "boss@firm.example"}) {
        Firm firm;
        firm.rules = with_delegates();
        CHECK_EQUAL(letter(firm, envelope, "anna", from("boss@firm.example", "Anna@firm.example")),
                    "take body");
        CHECK(firm.changes().seal.has_value());
        firm.session.changes_made("4Q");
        CHECK(firm.logged_line_with("direction@firm.de-mail.de"));
    }
    Firm firm;
    firm.rules = with_delegates();
    CHECK_EQUAL(letter(firm, "zoe@desk.example", "zoe",
                       from("direction@firm.de-mail.de", "zoe@firm.de-mail.de")),
                "take body");
}

static void her_own_letters_stay_her_own() {
    Firm firm;
    firm.rules = with_delegates();
    CHECK_EQUAL(letter(firm, "anna@firm.example", "anna", from("anna@firm.example")), "take body");
    firm.session.changes_made("4Q");
    CHECK(firm.logged_line_with("anna@firm.de-mail.de"));
}

static void the_sender_field_must_say_who_writes() {
    for (const std::string sender : {"", "boss@firm.example", "bea@firm.example",
                                     "zoe@desk.example", "anna@firm.example, boss@firm.example"}) {
        Firm firm;
        firm.rules = with_delegates();
        const std::string said =
            letter(firm, "boss@firm.example", "anna", from("boss@firm.example", sender));
        CHECK(said.starts_with("550 5.7.1 "));
        CHECK(said.find("write anna@firm.example into the Sender field") != std::string::npos);
    }
}

static void nobody_else_is_a_delegate() {
    Firm firm;
    firm.rules = with_delegates();
    const auto bosses = from("boss@firm.example", "anna@firm.example");
    CHECK_EQUAL(letter(firm, "boss@firm.example", "bea", bosses), "RCPT 550 5.7.1");
    CHECK_EQUAL(letter(firm, "anna@firm.example", "", bosses), "RCPT 550 5.7.1");
    CHECK(letter(firm, "bea@firm.example", "bea", bosses).starts_with("550 5.7.1"));
    // For the boss, not for everybody.
    CHECK(letter(firm, "anna@firm.example", "anna", from("bea@firm.example", "anna@firm.example"))
              .starts_with("550 5.7.1"));
    CHECK(letter(firm, "zoe@desk.example", "zoe", from("zoe@firm.example", "zoe@desk.example"))
              .starts_with("550 5.7.1"));
    firm.rules = std::make_shared<const SenderRules>(test::firm_rules());
    CHECK(letter(firm, "anna@firm.example", "anna", bosses).starts_with("550 5.7.1"));
}

static void answers_go_to_either_of_them() {
    for (const auto &[address, outcome] :
         {std::pair<std::string, std::string>{"boss@firm.example", "take body"},
          {"anna@firm.example", "take body"},
          {"bea@firm.example", "550 5.7.1"}}) {
        Firm firm;
        firm.rules = with_delegates();
        auto fields = from("boss@firm.example", "anna@firm.example");
        fields.push_back({"Reply-To", " " + address});
        CHECK(letter(firm, "anna@firm.example", "anna", fields).starts_with(outcome));
    }
}

static void the_rule_of_the_letter_says_which_options_it_may_have() {
    Firm firm;
    firm.rules = with_delegates();
    auto fields = from("boss@firm.example", "anna@firm.example");
    fields.push_back({"X-De-Mail-Authoritative", " yes"});
    CHECK_EQUAL(letter(firm, "anna@firm.example", "anna", fields), "take body");
    fields.back() = {"X-De-Mail-Confirmation-Of-Receipt", " yes"}; // Anna's own rule has it
    CHECK(letter(firm, "anna@firm.example", "anna", fields).starts_with("550 5.7.1"));
}

static void where_rules_are_not_known_mail_is_neither_taken_nor_refused() {
    Firm firm;
    firm.rules = std::make_shared<const SenderRules>(
        std::vector<AccountRules>{{"firm", nullptr, true, nullptr}});
    CHECK_EQUAL(letter(firm, "anna@firm.example", "anna", from("anna@firm.example")),
                "RCPT 451 4.3.0");
    firm.mail_from_anna();
    CHECK_EQUAL(firm.rcpt("<ida@internet.example>"), "250");
    // sendmail(1) hears it at the end of the header, and keeps the message.
    firm.sendmail_from("robot@firm.example");
    CHECK_EQUAL(firm.rcpt(bob), "250");
    CHECK(firm.header(from("robot@firm.example")).starts_with("451 4.3.0"));
}

int main() {
    return test::run("filter_rights",
                     {TEST(the_delegate_writes_for_the_author_from_either_envelope_sender),
                      TEST(her_own_letters_stay_her_own),
                      TEST(the_sender_field_must_say_who_writes), TEST(nobody_else_is_a_delegate),
                      TEST(answers_go_to_either_of_them),
                      TEST(the_rule_of_the_letter_says_which_options_it_may_have),
                      TEST(where_rules_are_not_known_mail_is_neither_taken_nor_refused)});
}
