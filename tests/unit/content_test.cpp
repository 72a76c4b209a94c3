#include "check.hpp"
#include "content_fixture.hpp"

using namespace demail;
using namespace demail::test;

static void the_metadata_come_first_in_the_order_of_the_guideline() {
    SubmissionMetadata metadata = plain_metadata();
    metadata.options.set(Option::personal);
    metadata.options.set(Option::confirmation_of_receipt);
    metadata.recipients.push_back({address("carl@amt.de-mail.de"), RecipientField::cc});
    CHECK_EQUAL(text_of("From: Anna <anna@firm.example>\r\nSubject: Hi\r\n\r\n", metadata),
                "x-de-mail-confirmation-of-dispatch: no\r\n"
                "x-de-mail-confirmation-of-receipt: yes\r\n"
                "x-de-mail-confirmation-of-retrieve: no\r\n"
                "x-de-mail-authoritative: no\r\n"
                "x-de-mail-private: yes\r\n"
                "x-de-mail-sender: anna@firm.de-mail.de\r\n"
                "x-de-mail-chosen-recipient: to=bea@stadt.de-mail.de;cc=carl@amt.de-mail.de\r\n"
                "x-de-mail-private-id: g1-0123456789abcdef0123456789abcdef01234567\r\n"
                "From: Anna <anna@firm.de-mail.de>\r\n"
                "Subject: Hi\r\n"
                "\r\n");
}

static void every_other_field_keeps_its_bytes() {
    const std::string fields = "MIME-Version:1.0\r\n"
                               "X-Folded:\r\n\t one \r\n  two  \r\n"
                               "Subject: =?utf-8?q?=C3=BC?= \xc3\xbc \xff \t\r\n"
                               "To : Bea <bea@stadt.de-mail.de> (comment), other@firm.example\r\n"
                               "cc: \r\n"
                               "Content-Type: text/plain;\r\n\tcharset=iso-8859-1\r\n"
                               "X-Long: " +
                               std::string(5000, 'x') +
                               "\r\n"
                               "Message-ID:<1@firm.example>\r\n";
    CHECK_EQUAL(senders_fields("From: anna@firm.de-mail.de\r\n" + fields),
                "From: anna@firm.de-mail.de\r\n" + fields + "\r\n");
}

static void fields_that_show_the_way_or_hidden_recipients_are_removed() {
    CHECK_EQUAL(senders_fields("Return-Path: <anna@firm.example>\r\n"
                               "Delivered-To: bea@stadt.de-mail.de\r\n"
                               "Envelope-to : hidden@stadt.de-mail.de\r\n"
                               "Received: from a\r\n\tfor <hidden@stadt.de-mail.de>; now\r\n"
                               "DKIM-Signature: v=1;\r\n b=x\r\n"
                               "authentication-results: none\r\n"
                               "Subject: kept\r\n"
                               "Bcc: hidden@stadt.de-mail.de,\r\n other@stadt.de-mail.de\r\n"
                               "BCC : hidden@stadt.de-mail.de\r\n"
                               "Disposition-Notification-To: anna@firm.example\r\n"
                               "From: anna@firm.de-mail.de\r\n"
                               "RECEIVED: x\r\n"),
                "Subject: kept\r\n"
                "From: anna@firm.de-mail.de\r\n"
                "\r\n");
}

static void no_demail_field_of_the_sender_is_left_however_it_is_spelt() {
    CHECK_EQUAL(
        senders_fields("Demail-Seal: v=1\r\nDemail-Results: x\r\nDemail-Origin: x\r\n"
                       "X-De-Mail-Private: yes\r\nx-demail-auth-level: high\r\n"
                       "x_de_mail_sender: boss@firm.de-mail.de\r\nX-de-mail-privat-id: 7\r\n"
                       "De-Mail-x: x\r\nSubject: kept\r\nFrom: anna@firm.de-mail.de\r\n"),
        "Subject: kept\r\nFrom: anna@firm.de-mail.de\r\n\r\n");
}

static void a_message_without_subject_gets_an_empty_one() {
    CHECK(text_of("From: anna@firm.example\r\n").find("\r\nSubject: \r\n") != std::string::npos);
    const std::string empty = text_of("From: anna@firm.example\r\nSubject:\r\n");
    CHECK(empty.find("Subject: \r\n") == std::string::npos);
}

static void a_bcc_submission_names_its_recipient_alone() {
    SubmissionMetadata metadata = plain_metadata();
    metadata.recipients = {{address("hidden@stadt.de-mail.de"), RecipientField::bcc}};
    const std::string text = text_of("From: anna@firm.example\r\nTo: bea@stadt.de-mail.de\r\n"
                                     "Bcc: hidden@stadt.de-mail.de, other@stadt.de-mail.de\r\n",
                                     metadata);
    CHECK(text.find("x-de-mail-chosen-recipient: bcc=hidden@stadt.de-mail.de\r\n") !=
          std::string::npos);
    CHECK(text.find("other@") == std::string::npos);
    CHECK(text.find("\r\nTo: bea@stadt.de-mail.de\r\n") != std::string::npos);
}

static void a_long_private_id_is_folded_at_a_blank_and_only_then() {
    SubmissionMetadata metadata = plain_metadata();
    const std::string id = metadata.private_id.str();
    const std::string field = "\r\nx-de-mail-private-id: ";
    for (const auto &[user, expected] :
         {std::pair(std::string(932, 'a'), std::string(932, 'a')),
          {std::string(900, 'a') + "  " + std::string(70, 'b'),
           std::string(900, 'a') + "\r\n  " + std::string(70, 'b')},
          {"a b " + std::string(970, 'c'), "a b\r\n " + std::string(970, 'c')}}) {
        metadata.private_id = *PrivateId::parse(id + ';' + user);
        const std::string text = text_of("From: anna@firm.example\r\n", metadata);
        CHECK(text.find(field + id + ';' + expected + "\r\n") != std::string::npos);
    }
}

static void a_resent_message_is_refused_by_the_name_of_the_field() {
    for (const char *name : {"Resent-From", "RESENT-to", "Resent-Bcc", "Resent-Message-ID"})
        CHECK_EQUAL(text_of("From: anna@firm.example\r\n" + std::string(name) + ": x\r\n"),
                    "A De-Mail cannot be resent: send it anew, without the field " +
                        std::string(name) + ".");
    CHECK(std::holds_alternative<std::string>(
        header_of("From: anna@firm.example\r\nResentment: x\r\n")));
}

int main() {
    return run("content", {TEST(the_metadata_come_first_in_the_order_of_the_guideline),
                           TEST(every_other_field_keeps_its_bytes),
                           TEST(fields_that_show_the_way_or_hidden_recipients_are_removed),
                           TEST(no_demail_field_of_the_sender_is_left_however_it_is_spelt),
                           TEST(a_message_without_subject_gets_an_empty_one),
                           TEST(a_bcc_submission_names_its_recipient_alone),
                           TEST(a_long_private_id_is_folded_at_a_blank_and_only_then),
                           TEST(a_resent_message_is_refused_by_the_name_of_the_field)});
}
