// Who is refused at RCPT, who at the end of the header, and what observing changes of that.
#include "check.hpp"
#include "filter/reply_text.hpp"
#include "filter_fixture.hpp"

using namespace demail;
using demail::test::Firm;

static std::string rcpt_from(std::string_view sender, const filter::Client &client,
                             std::string_view recipient = "<bob@x.de-mail.de>") {
    Firm firm;
    firm.session.mail(sender, client);
    return firm.rcpt(recipient);
}

static void a_sender_needs_a_rule() {
    CHECK_EQUAL(rcpt_from("<anna@firm.example>", {"192.0.2.7", "587", "anna", ""}), "250");
    CHECK_EQUAL(rcpt_from("<anna@firm.example>", {"192.0.2.7", "587", "ANNA", ""}), "250");
    CHECK_EQUAL(rcpt_from("<anna@firm.example>", {"192.0.2.7", "587", "bert", ""}), "550 5.7.1");
    CHECK_EQUAL(rcpt_from("<anna@firm.example>", {"192.0.2.7", "25", "", ""}), "550 5.7.1");
    CHECK_EQUAL(rcpt_from("<anna@elsewhere.example>", {"192.0.2.7", "587", "anna", ""}),
                "550 5.7.1");
}

static void a_network_is_a_right_where_the_clients_address_is_known() {
    CHECK_EQUAL(rcpt_from("<scan@firm.example>", {"10.1.2.3", "25", "", ""}), "250");
    CHECK_EQUAL(rcpt_from("<scan@firm.example>", {"IPv6:::ffff:10.1.2.3", "25", "", ""}), "250");
    CHECK_EQUAL(rcpt_from("<scan@firm.example>", {"11.1.2.3", "25", "", ""}), "550 5.7.1");
    CHECK_EQUAL(rcpt_from("<scan@firm.example>", {"unknown", "25", "", ""}), "550 5.7.1");
    CHECK_EQUAL(rcpt_from("<scan@firm.example>", {"", "", "", ""}), "550 5.7.1");
}

// The fixture's clock stands in November 2023.
static void an_ended_provider_is_refused_by_name_whatever_the_list_says() {
    Firm firm;
    firm.list.both("ended.de-mail.de active\n");
    firm.mail_from_anna();
    const auto reply = firm.session.recipient("<bob@Ended.De-Mail.de>", "4QabcdE");
    CHECK(reply.has_value());
    CHECK_EQUAL(std::to_string(reply->code) + " " + reply->enhanced, "550 5.1.2");
    CHECK(reply->text.find("Old Post, ended its service on 31 August 2022") != std::string::npos);
    CHECK(firm.logged_line_with("31 August 2022"));
    CHECK_EQUAL(firm.rcpt("<bob@later.de-mail.de>"), "250");
    CHECK_EQUAL(firm.rcpt("<bob@x.de-mail.de>"), "250");
}

static void an_ended_provider_is_refused_while_the_list_is_away_or_lacks_it() {
    Firm firm;
    firm.mail_from_anna();
    CHECK_EQUAL(firm.rcpt("<bob@unlisted.example>"), "550 5.1.2");
    firm.list.remove("domains.db");
    firm.mail_from_anna();
    CHECK_EQUAL(firm.rcpt("<bob@ended.de-mail.de>"), "550 5.1.2");
    CHECK_EQUAL(firm.rcpt("<bob@x.de-mail.de>"), "451 4.3.0");
}

static void sendmail_to_an_ended_provider_goes_to_the_relay_never_to_the_internet() {
    Firm routed;
    routed.sendmail_from("www-data@firm.example");
    CHECK_EQUAL(routed.rcpt("bob@ended.de-mail.de"), "250");
    CHECK_EQUAL(routed.header({{"From", " www-data@firm.example"}}), "let go");
    Firm unrouted;
    unrouted.sendmail_from("www-data@firm.example");
    CHECK_EQUAL(unrouted.rcpt("bob@unlisted.example"), "250");
    CHECK(unrouted.header({{"From", " www-data@firm.example"}}).starts_with("550 5.1.2 "));
    Firm listed;
    listed.list.both("unlisted.example ended\n");
    listed.sendmail_from("www-data@firm.example");
    CHECK_EQUAL(listed.rcpt("bob@unlisted.example"), "250");
    CHECK_EQUAL(listed.header({{"From", " www-data@firm.example"}}), "let go");
}

static void the_null_sender_is_refused() {
    CHECK_EQUAL(rcpt_from("<>", {"10.1.2.3", "25", "", ""}), "550 5.7.1");
    CHECK_EQUAL(rcpt_from("<>", {"192.0.2.7", "587", "anna", ""}), "550 5.7.1");
}

static void a_local_rule_fits_sendmail_alone() {
    CHECK_EQUAL(rcpt_from("<robot@firm.example>", {"127.0.0.1", "25", "", ""}), "550 5.7.1");
    CHECK_EQUAL(rcpt_from("<robot@firm.example>", {"192.0.2.1", "0", "", "4Qabcde"}), "550 5.7.1");
    // An smtpd(8) on a Unix socket.
    CHECK_EQUAL(rcpt_from("<robot@firm.example>", {"127.0.0.1", "0", "", ""}), "550 5.7.1");
    Firm firm;
    firm.sendmail_from("robot@firm.example");
    CHECK_EQUAL(firm.rcpt("bob@x.de-mail.de"), "250");
    CHECK_EQUAL(firm.header({{"From", " robot@firm.example"}}), "take body");
}

static void sendmail_without_a_rule_goes_unsealed() {
    Firm firm;
    firm.sendmail_from("www-data@firm.example");
    CHECK_EQUAL(firm.rcpt("bob@x.de-mail.de"), "250");
    CHECK_EQUAL(firm.header({{"From", " www-data@firm.example"}}), "let go");
}

static void sendmail_is_refused_at_the_end_where_the_transport_map_would_miss_the_address() {
    Firm firm;
    firm.sendmail_from("www-data@firm.example");
    CHECK_EQUAL(firm.rcpt("carl@elsewhere.example"), "250");
    CHECK_EQUAL(firm.rcpt("bob@x\xe3\x80\x82"
                          "de-mail.de"),
                "250");
    CHECK_EQUAL(firm.header({{"From", " www-data@firm.example"}}).substr(0, 9), "553 5.1.3");
    CHECK(firm.logged_line_with("to=\"bob@x"));
}

static void sendmail_hears_of_a_list_that_is_away_at_the_end() {
    Firm firm;
    firm.list.remove("domains");
    firm.sendmail_from("robot@firm.example");
    CHECK_EQUAL(firm.rcpt("bob@x.de-mail.de"), "250");
    CHECK_EQUAL(firm.header({{"From", " robot@firm.example"}}).substr(0, 9), "451 4.3.0");
}

static void text_that_is_no_address_stops_sendmail_only_where_de_mail_is_in_it() {
    Firm firm;
    firm.sendmail_from("robot@firm.example");
    CHECK_EQUAL(firm.rcpt("a@@elsewhere.example"), "250");
    CHECK_EQUAL(firm.header({{"From", " robot@firm.example"}}), "let go");
    firm.sendmail_from("robot@firm.example");
    CHECK_EQUAL(firm.rcpt("a@@x.de-mail.de"), "250");
    CHECK_EQUAL(firm.header({{"From", " robot@firm.example"}}).substr(0, 9), "553 5.1.3");
}

static void recipients_that_cannot_be_judged_are_refused_at_once() {
    const filter::Client anna{"192.0.2.7", "587", "anna", ""};
    CHECK_EQUAL(rcpt_from("<anna@firm.example>", anna, "<a@@b.example>"), "553 5.1.3");
    CHECK_EQUAL(rcpt_from("<anna@firm.example>", anna, "<bob@x\xc2\xad.de-mail.de>"), "553 5.1.3");
    CHECK_EQUAL(rcpt_from("<anna@firm.example>", anna, "<bob%x.de-mail.de@localhost>"),
                "553 5.1.3");
    CHECK_EQUAL(rcpt_from("<anna@firm.example>", anna, "<postmaster>"), "250");
}

static void the_state_of_the_domain_decides() {
    Firm firm;
    firm.list.both("gone.example ended\n");
    firm.list.write("domains.indexed", std::string(test::ListOnDisk::builtin) +
                                           "gone.example ended\nnew.example active\n");
    firm.mail_from_anna();
    CHECK_EQUAL(firm.rcpt("<bob@gone.example>"), "550 5.1.2");
    CHECK_EQUAL(firm.rcpt("<bob@new.example>"), "451 4.3.0");
    CHECK_EQUAL(firm.rcpt("<bob@x.de-mail.de>"), "250");
}

static void a_missing_index_holds_up_de_mail_alone() {
    Firm firm;
    firm.list.remove("domains.db");
    firm.mail_from_anna();
    CHECK_EQUAL(firm.rcpt("<bob@x.de-mail.de>"), "451 4.3.0");
    CHECK_EQUAL(firm.rcpt("<carl@elsewhere.example>"), "250");
}

static void mixed_recipients_are_refused_where_the_policy_says_so() {
    Firm firm(false, true);
    firm.mail_from_anna();
    CHECK_EQUAL(firm.rcpt("<bob@x.de-mail.de>"), "250");
    CHECK_EQUAL(firm.rcpt("<carl@elsewhere.example>"), "550 5.7.1");
    CHECK_EQUAL(firm.rcpt("<dora@x.de-mail.de>"), "250");
    firm.mail_from_anna();
    CHECK_EQUAL(firm.rcpt("<carl@elsewhere.example>"), "250");
    CHECK_EQUAL(firm.rcpt("<bob@x.de-mail.de>"), "550 5.7.1");
}

static void the_4097th_recipient_is_for_another_message() {
    for (const bool by_sendmail : {false, true}) {
        Firm firm;
        if (by_sendmail)
            firm.sendmail_from("robot@firm.example");
        else
            firm.mail_from_anna();
        for (int i = 0; i < 4096; ++i)
            CHECK_EQUAL(firm.rcpt("<r" + std::to_string(i) + "@x.de-mail.de>"), "250");
        CHECK_EQUAL(firm.rcpt("<one.more@x.de-mail.de>"), by_sendmail ? "250" : "452 4.5.3");
        if (!by_sendmail) continue;
        // Nobody could send it in parts, so it must not be tried again and again.
        CHECK_EQUAL(firm.header({{"From", " robot@firm.example"}}).substr(0, 9), "550 5.5.3");
    }
}

static void a_refusal_is_logged_with_its_reason() {
    Firm firm;
    firm.session.mail("<x@elsewhere.example>", {"192.0.2.9", "25", "", ""});
    CHECK_EQUAL(firm.rcpt("<bob@x.de-mail.de>"), "550 5.7.1");
    CHECK(firm.logged_line_with("event=refused queue_id=\"4QabcdE\" account=\"\" "
                                "from=\"x@elsewhere.example\" to=\"<bob@x.de-mail.de>\" "
                                "reply=\"550 5.7.1 "));
}

static void observing_refuses_nothing_and_changes_nothing() {
    Firm firm(true);
    firm.session.mail("<x@elsewhere.example>", {"192.0.2.9", "25", "", ""});
    CHECK_EQUAL(firm.rcpt("<bob@x.de-mail.de>"), "250");
    CHECK(firm.logged_line_with("would=\"refuse\""));
    CHECK_EQUAL(firm.header({{"From", " x@elsewhere.example"}, {"x-de-mail-version", " 1"}}),
                "let go");
    CHECK(firm.logged_line_with("would=\"strip\""));

    firm.mail_from_anna();
    CHECK_EQUAL(firm.rcpt("<bob@x.de-mail.de>"), "250");
    CHECK_EQUAL(firm.annas_header(), "let go");
    CHECK(firm.logged_line_with("would=\"seal\""));
}

static void observing_says_what_sendmail_would_hear() {
    Firm firm(true);
    firm.sendmail_from("robot@firm.example");
    CHECK_EQUAL(firm.rcpt("bob@x.de-mail.de"), "250");
    CHECK_EQUAL(firm.header({{"From", " someone@firm.example"}}), "let go");
    CHECK(firm.logged_line_with("would=\"refuse\""));
}

static void observing_tells_of_sendmail_without_a_rule() {
    Firm firm(true);
    firm.sendmail_from("www-data@firm.example");
    CHECK_EQUAL(firm.rcpt("bob@x.de-mail.de"), "250");
    CHECK(firm.logged_line_with("would=\"refuse\""));
}

static void a_reply_is_one_line_of_ascii() {
    CHECK_EQUAL(filter::reply_text("a%b\r\n250 c\xc3\xa4"), "a%%b??250 c??");
    CHECK_EQUAL(filter::reply_text(std::string(2000, 'x')).size(), std::size_t{449});
}

int main() {
    return test::run(
        "filter_refusals",
        {TEST(a_sender_needs_a_rule),
         TEST(a_network_is_a_right_where_the_clients_address_is_known),
         TEST(an_ended_provider_is_refused_by_name_whatever_the_list_says),
         TEST(an_ended_provider_is_refused_while_the_list_is_away_or_lacks_it),
         TEST(sendmail_to_an_ended_provider_goes_to_the_relay_never_to_the_internet),
         TEST(the_null_sender_is_refused),
         TEST(a_local_rule_fits_sendmail_alone),
         TEST(sendmail_without_a_rule_goes_unsealed),
         TEST(sendmail_is_refused_at_the_end_where_the_transport_map_would_miss_the_address),
         TEST(sendmail_hears_of_a_list_that_is_away_at_the_end),
         TEST(text_that_is_no_address_stops_sendmail_only_where_de_mail_is_in_it),
         TEST(recipients_that_cannot_be_judged_are_refused_at_once),
         TEST(the_state_of_the_domain_decides),
         TEST(a_missing_index_holds_up_de_mail_alone),
         TEST(mixed_recipients_are_refused_where_the_policy_says_so),
         TEST(the_4097th_recipient_is_for_another_message),
         TEST(a_refusal_is_logged_with_its_reason),
         TEST(observing_refuses_nothing_and_changes_nothing),
         TEST(observing_says_what_sendmail_would_hear),
         TEST(observing_tells_of_sendmail_without_a_rule),
         TEST(a_reply_is_one_line_of_ascii)});
}
