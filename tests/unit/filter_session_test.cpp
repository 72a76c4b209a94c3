#include "check.hpp"
#include "filter_fixture.hpp"
#include "message/private_id.hpp"

using namespace demail;
using demail::test::Firm;

static void ordinary_mail_is_let_go_at_the_end_of_its_header() {
    Firm firm;
    firm.session.mail("<x@elsewhere.example>", {"192.0.2.9", "25", "", ""});
    CHECK_EQUAL(firm.rcpt("<anna@firm.example>"), "250");
    CHECK_EQUAL(firm.header({{"From", " x@elsewhere.example"}, {"Subject", " Hello"}}), "let go");
    CHECK(firm.logged.lines.empty());
}

static void forged_fields_of_ordinary_mail_are_removed_and_its_body_is_not_read() {
    Firm firm;
    firm.session.mail("<x@elsewhere.example>", {"192.0.2.9", "25", "", ""});
    CHECK_EQUAL(firm.rcpt("<anna@firm.example>"), "250");
    CHECK_EQUAL(firm.header({{"X-De-Mail-Auth-Level", " high"},
                             {"From", " x@elsewhere.example"},
                             {"x-de-mail-auth-level", " high"},
                             {"Demail-Seal", " v=1"}}),
                "skip body");
    CHECK(!firm.session.wants_body());
    const auto changes = firm.changes();
    CHECK(!changes.seal);
    CHECK_EQUAL(changes.removals.size(), std::size_t{3});
    CHECK_EQUAL(changes.removals[0].name, "x-de-mail-auth-level");
    CHECK_EQUAL(changes.removals[0].index, 2U);
    firm.session.changes_made("4QabcdE");
    CHECK(firm.logged_line_with("event=stripped queue_id=\"4QabcdE\""));
}

static void a_de_mail_gets_a_seal_that_holds() {
    Firm firm;
    firm.mail_from_anna();
    CHECK_EQUAL(firm.rcpt("<Bob@x.de-mail.de>"), "250");
    CHECK_EQUAL(firm.rcpt("<carl@elsewhere.example>"), "250");
    const HeaderFields fields{{"From", " Anna <anna@firm.example>"},
                              {"To", " bob@x.de-mail.de,\n\tcarl@elsewhere.example"},
                              {"Subject", " Hello"}};
    CHECK_EQUAL(firm.header(fields), "take body");
    CHECK(firm.session.wants_body());
    firm.session.body("first ");
    firm.session.body("second\r\n");
    const auto changes = firm.changes();
    CHECK(changes.seal.has_value());
    CHECK(changes.removals.empty());

    const SealKeys keys = firm.keys();
    const auto read = read_seal(*changes.seal, keys);
    CHECK(std::holds_alternative<CheckedSeal>(read));
    const Seal &seal = std::get<CheckedSeal>(read).seal;
    CHECK_EQUAL(seal.account, "firm");
    CHECK_EQUAL(seal.sender.str(), "anna@firm.de-mail.de");
    CHECK_EQUAL(seal.envelope_sender, "anna@firm.example");
    CHECK_EQUAL(seal.time, 1700000000);
    CHECK_EQUAL(seal.options.str(), "confirmation-of-dispatch");
    CHECK(seal.body == sha256("first second\r\n"));
    // As the relay has the fields: with CRLF.
    CHECK(seal.fields ==
          sealed_fields_digest({{"From", " Anna <anna@firm.example>"},
                                {"To", " bob@x.de-mail.de,\r\n\tcarl@elsewhere.example"},
                                {"Subject", " Hello"}}));
    CHECK(seal.covers(keys.sealing(), *Address::parse("bob@x.de-mail.de")));
    CHECK(!seal.covers(keys.sealing(), *Address::parse("carl@elsewhere.example")));

    firm.session.changes_made("4QabcdE");
    CHECK_EQUAL(firm.logged.lines.back(),
                "event=sealed queue_id=\"4QabcdE\" account=\"firm\" from=\"anna@firm.example\" "
                "sender=\"anna@firm.de-mail.de\" recipients=\"1\"");
}

static void a_seal_that_came_in_is_replaced() {
    Firm firm;
    firm.mail_from_anna();
    CHECK_EQUAL(firm.rcpt("<bob@x.de-mail.de>"), "250");
    CHECK_EQUAL(firm.annas_header({{"Demail-Seal", " v=1"}, {"Demail-Seal", " v=1"}}), "take body");
    const auto changes = firm.changes();
    CHECK_EQUAL(changes.removals.size(), std::size_t{2});
    CHECK(changes.seal.has_value());
}

static void two_messages_have_two_identities() {
    Firm firm;
    std::string first;
    for (int i = 0; i < 2; ++i) {
        firm.mail_from_anna();
        CHECK_EQUAL(firm.rcpt("<bob@x.de-mail.de>"), "250");
        CHECK_EQUAL(firm.annas_header(), "take body");
        const auto changes = firm.changes();
        CHECK(changes.seal.has_value() && *changes.seal != first);
        first = *changes.seal;
        firm.session.changes_made("");
    }
}

static void nothing_of_one_message_reaches_the_next() {
    Firm firm;
    firm.mail_from_anna();
    CHECK_EQUAL(firm.rcpt("<bob@x.de-mail.de>"), "250");
    firm.session.header("Demail-Seal", " v=1");
    firm.session.abort();
    firm.session.mail("<x@elsewhere.example>", {"192.0.2.9", "25", "", ""});
    CHECK_EQUAL(firm.rcpt("<bob@x.de-mail.de>"), "550 5.7.1");
    CHECK_EQUAL(firm.rcpt("<anna@firm.example>"), "250");
    CHECK_EQUAL(firm.header({{"From", " x@elsewhere.example"}}), "let go");
}

static void a_dialogue_that_begins_in_the_middle_has_no_right() {
    Firm firm;
    CHECK_EQUAL(firm.rcpt("<bob@x.de-mail.de>"), "550 5.7.1");
    Firm other;
    CHECK_EQUAL(other.header({{"X-De-Mail-Version", " 1.8"}}), "skip body");
}

static void a_probe_without_data_is_answered_250() {
    Firm firm;
    firm.mail_from_anna();
    CHECK_EQUAL(firm.rcpt("<bob@x.de-mail.de>"), "250");
    firm.session.abort();
    CHECK(firm.logged.lines.empty());
}

static void a_header_of_hundreds_of_our_fields_is_refused() {
    Firm firm;
    firm.session.mail("<x@elsewhere.example>", {"192.0.2.9", "25", "", ""});
    CHECK_EQUAL(firm.rcpt("<anna@firm.example>"), "250");
    CHECK_EQUAL(
        firm.header(std::vector<HeaderField>(501, {"x-de-mail-version", " 1"})).substr(0, 9),
        "550 5.6.0");
}

static void fields_that_would_fill_the_memory_are_refused() {
    Firm firm;
    firm.mail_from_anna();
    CHECK_EQUAL(firm.rcpt("<bob@x.de-mail.de>"), "250");
    const HeaderField large{"To", std::string(100000, 'x')};
    CHECK_EQUAL(firm.annas_header(std::vector<HeaderField>(11, large)).substr(0, 9), "550 5.6.0");
}

int main() {
    return test::run("filter_session",
                     {TEST(ordinary_mail_is_let_go_at_the_end_of_its_header),
                      TEST(forged_fields_of_ordinary_mail_are_removed_and_its_body_is_not_read),
                      TEST(a_de_mail_gets_a_seal_that_holds), TEST(a_seal_that_came_in_is_replaced),
                      TEST(two_messages_have_two_identities),
                      TEST(nothing_of_one_message_reaches_the_next),
                      TEST(a_dialogue_that_begins_in_the_middle_has_no_right),
                      TEST(a_probe_without_data_is_answered_250),
                      TEST(a_header_of_hundreds_of_our_fields_is_refused),
                      TEST(fields_that_would_fill_the_memory_are_refused)});
}
