// From, Sender and Reply-To of a submission.
#include "check.hpp"
#include "content_fixture.hpp"

using namespace demail;
using namespace demail::test;

namespace {

// The From field as it becomes, without its line end and what follows.
std::string from(std::string_view value) {
    const std::string text = senders_fields("Subject: x\r\nFrom:" + std::string(value) + "\r\n");
    const std::string before = "Subject: x\r\nFrom:";
    return text.starts_with(before) ? text.substr(before.size(), text.size() - before.size() - 4)
                                    : text;
}

bool mappable(std::string_view header) {
    return std::holds_alternative<std::string>(header_of(header));
}

} // namespace

static void from_becomes_the_demail_address_and_keeps_its_display_name() {
    CHECK_EQUAL(from(" anna@firm.example"), " anna@firm.de-mail.de");
    CHECK_EQUAL(from("<Anna@Firm.example>"), " anna@firm.de-mail.de");
    CHECK_EQUAL(from(" Anna Muster <anna@firm.example>"), " Anna Muster <anna@firm.de-mail.de>");
    CHECK_EQUAL(from("\"Muster, Anna\"\r\n\t<anna@firm.example>"),
                " \"Muster, Anna\" <anna@firm.de-mail.de>");
    CHECK_EQUAL(from(" \"Anna\" <anna@firm.example>"), " Anna <anna@firm.de-mail.de>");
}

static void encoded_and_8_bit_names_are_kept() {
    CHECK_EQUAL(from(" =?utf-8?q?J=C3=BCrgen?= M <anna@firm.example>"),
                " =?utf-8?q?J=C3=BCrgen?= M <anna@firm.de-mail.de>");
    CHECK_EQUAL(from(" \"J\xc3\xbcrgen\" <anna@firm.example>"),
                " \"J\xc3\xbcrgen\" <anna@firm.de-mail.de>");
}

static void a_name_with_an_at_sign_is_dropped() {
    CHECK_EQUAL(from(" \"boss@bank.example\" <anna@firm.example>"), " anna@firm.de-mail.de");
    CHECK_EQUAL(from(" =?utf-8?q?boss=40bank?= <anna@firm.example>"), " anna@firm.de-mail.de");
    CHECK_EQUAL(from(" \"boss@bank.example\" <anna@firm.de-mail.de>"), " anna@firm.de-mail.de");
    CHECK_EQUAL(from(" =?utf-8?q?boss=40bank?= <anna@firm.de-mail.de>"), " anna@firm.de-mail.de");
}

static void a_field_that_holds_the_demail_address_keeps_its_bytes() {
    for (const char *value : {"anna@firm.de-mail.de", "\t<anna@firm.de-mail.de> ",
                              "  \"Anna  (Berlin)\"\r\n <anna@firm.de-mail.de>",
                              " Anna Q. Muster <anna@firm.de-mail.de>"})
        CHECK_EQUAL(from(value), value);
}

static void comments_routes_groups_and_capitals_do_not_get_through() {
    CHECK_EQUAL(from(" Anna (boss@bank.example) <anna@firm.de-mail.de>"),
                " Anna <anna@firm.de-mail.de>");
    CHECK_EQUAL(from(" anna@firm.de-mail.de (Anna)"), " anna@firm.de-mail.de");
    CHECK_EQUAL(from(" <@relay.example:anna@firm.de-mail.de>"), " anna@firm.de-mail.de");
    CHECK_EQUAL(from(" Board: Anna <anna@firm.example>;"), " Anna <anna@firm.de-mail.de>");
    CHECK_EQUAL(from(" ANNA@firm.de-mail.de"), " anna@firm.de-mail.de");
}

static void a_long_name_is_folded_and_an_endless_one_dropped() {
    const std::string word(30, 'n');
    CHECK_EQUAL(from(" " + word + " " + word + " " + word + " <anna@firm.example>"),
                " " + word + " " + word + "\r\n " + word + " <anna@firm.de-mail.de>");
    CHECK_EQUAL(from(" " + std::string(2000, 'n') + " <anna@firm.example>"),
                " anna@firm.de-mail.de");
}

static void from_must_be_one_field_with_one_address_of_this_sender() {
    CHECK(!mappable("Subject: x\r\n"));
    CHECK(!mappable("From: anna@firm.example\r\nFrom: anna@firm.example\r\n"));
    CHECK(!mappable("From: anna@firm.example\r\nfrom : anna@firm.example\r\n"));
    CHECK(!mappable("From: anna@firm.example, anna@firm.example\r\n"));
    CHECK(!mappable("From:\r\n"));
    CHECK(!mappable("From: Anna\r\n"));
    CHECK(!mappable("From: anna@firm.example, <\r\n"));
    CHECK_EQUAL(text_of("From: Boss <boss@firm.example>\r\n"),
                "The address boss@firm.example in the From field may not be used for De-Mail sent "
                "by anna@firm.de-mail.de; use the address of this sender.");
    CHECK(!mappable("From: anna@bank.example\r\n"));
}

static void sender_and_reply_to_become_demail_addresses_or_are_refused() {
    const std::string from_field = "From: anna@firm.example\r\n";
    CHECK_EQUAL(senders_fields("Subject: x\r\n" + from_field +
                               "Sender: anna@firm.example\r\n"
                               "reply-to: Desk <anna@firm.example>\r\n"),
                "Subject: x\r\nFrom: anna@firm.de-mail.de\r\nSender: anna@firm.de-mail.de\r\n"
                "reply-to: Desk <anna@firm.de-mail.de>\r\n\r\n");
    for (const char *name : {"Sender", "Reply-To"}) {
        const std::string field = from_field + name + ": ";
        CHECK(mappable(field + "anna@firm.example\r\n"));
        CHECK(!mappable(field + "anna@bank.example\r\n"));
        CHECK(!mappable(field + "\r\n"));
        CHECK(!mappable(field + "anna@firm.example, anna@firm.example\r\n"));
        CHECK(!mappable(field + "anna@firm.example\r\n" + name + ": anna@firm.example\r\n"));
    }
}

static void a_sentence_about_an_address_is_ascii() {
    for (const char c : text_of("From: b\xc3\xb6ss@firm.example\r\n"))
        CHECK(c >= ' ' && c <= '~');
}

int main() {
    return run("originator",
               {TEST(from_becomes_the_demail_address_and_keeps_its_display_name),
                TEST(encoded_and_8_bit_names_are_kept), TEST(a_name_with_an_at_sign_is_dropped),
                TEST(a_field_that_holds_the_demail_address_keeps_its_bytes),
                TEST(comments_routes_groups_and_capitals_do_not_get_through),
                TEST(a_long_name_is_folded_and_an_endless_one_dropped),
                TEST(from_must_be_one_field_with_one_address_of_this_sender),
                TEST(sender_and_reply_to_become_demail_addresses_or_are_refused),
                TEST(a_sentence_about_an_address_is_ascii)});
}
