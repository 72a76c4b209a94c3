// What the header of a De-Mail is judged by: who it is from, and which options it asks for.
#include "check.hpp"
#include "filter_fixture.hpp"

using namespace demail;
using demail::test::Firm;

/// A De-Mail of Anna's with this header; "take body" where it is good.
static std::string judged(const std::vector<HeaderField> &fields) {
    Firm firm;
    firm.mail_from_anna();
    CHECK_EQUAL(firm.rcpt("<bob@x.de-mail.de>"), "250");
    return firm.header(fields);
}

static std::string judged_with(const HeaderField &field) {
    return judged({{"From", " Anna <anna@firm.example>"}, field});
}

static bool refused_for(const std::string &outcome, std::string_view word) {
    return outcome.starts_with("550 5.7.1 ") && outcome.find(word) != std::string::npos;
}

/// The options that are sealed for a De-Mail of Anna's with these fields more.
static std::string sealed_options(const std::vector<HeaderField> &more) {
    Firm firm;
    firm.mail_from_anna();
    CHECK_EQUAL(firm.rcpt("<bob@x.de-mail.de>"), "250");
    CHECK_EQUAL(firm.annas_header(more), "take body");
    const SealKeys keys = firm.keys();
    return std::get<CheckedSeal>(read_seal(*firm.changes().seal, keys)).seal.options.str();
}

static void exactly_one_from_with_exactly_one_mailbox() {
    CHECK_EQUAL(judged({{"From", " anna@firm.example"}}), "take body");
    CHECK_EQUAL(judged({{"From", " \"Anna, A.\" <anna@firm.example>"}}), "take body");
    CHECK(refused_for(judged({{"Subject", " no From"}}), "no From"));
    CHECK(refused_for(judged({{"From", " anna@firm.example"}, {"From", " anna@firm.example"}}),
                      "2 From fields"));
    CHECK(refused_for(judged({{"From", " anna@firm.example, bert@firm.example"}}), "several"));
    CHECK(refused_for(judged({{"From", " Anna"}}), "none"));
    CHECK(refused_for(judged({{"From", ""}}), "none"));
}

static void from_maps_to_the_envelope_senders_de_mail_address() {
    CHECK_EQUAL(judged({{"From", " Anna@Firm.Example"}}), "take body");
    CHECK_EQUAL(judged({{"From", " anna@firm.de-mail.de"}}), "take body");
    CHECK(refused_for(judged({{"From", " bert@firm.example"}}), "bert@firm.example"));
    CHECK(refused_for(judged({{"From", " anna@elsewhere.example"}}), "anna@elsewhere.example"));
}

static void from_is_the_envelope_sender_even_where_any_login_serves_for_any_sender() {
    Firm firm;
    for (const auto &[from, outcome] : {std::pair(" anna@branch.example", "take body"),
                                        std::pair(" bert@branch.example", "550 5.7.1")}) {
        firm.session.mail("<anna@branch.example>", {"192.0.2.7", "587", "shared", ""});
        CHECK_EQUAL(firm.rcpt("<bob@x.de-mail.de>"), "250");
        CHECK_EQUAL(firm.header({{"From", from}}).substr(0, 9), outcome);
    }
}

static void sender_and_reply_to_fit_the_same_rule() {
    CHECK_EQUAL(judged_with({"Reply-To", " anna@firm.example"}), "take body");
    CHECK_EQUAL(judged_with({"Sender", " anna@firm.de-mail.de"}), "take body");
    CHECK(refused_for(judged_with({"Reply-To", " anna@elsewhere.example"}), "Reply-To"));
    CHECK(refused_for(judged_with({"Sender", " mailer@elsewhere.example"}), "Sender"));
    CHECK(refused_for(judged_with({"reply-to", " nobody here"}), "Reply-To"));
    CHECK(refused_for(judged({{"From", " anna@firm.example"},
                              {"Reply-To", " anna@firm.example"},
                              {"Reply-To", " anna@firm.example"}}),
                      "Reply-To"));
}

static void a_resent_message_is_refused() {
    CHECK(refused_for(judged_with({"Resent-From", " anna@firm.example"}), "Resent-"));
    CHECK(refused_for(judged_with({"RESENT-Message-ID", " <1@firm.example>"}), "Resent-"));
}

static void the_de_mail_sender_may_only_be_repeated() {
    CHECK_EQUAL(judged_with({"x-de-mail-sender", " anna@firm.de-mail.de"}), "take body");
    CHECK(refused_for(judged_with({"x-de-mail-sender", " bert@firm.de-mail.de"}),
                      "x-de-mail-sender"));
    CHECK(refused_for(judged_with({"x-de-mail-sender", " nonsense"}), "x-de-mail-sender"));
}

static void options_add_to_the_defaults() {
    CHECK_EQUAL(sealed_options({}), "confirmation-of-dispatch");
    CHECK_EQUAL(sealed_options({{"X-De-Mail-Private", " yes"}}),
                "confirmation-of-dispatch,private");
    CHECK_EQUAL(sealed_options({{"x-de-mail-confirmation-of-receipt", " yes"}}),
                "confirmation-of-dispatch,confirmation-of-receipt");
    CHECK_EQUAL(sealed_options({{"x-de-mail-private", " no"}}), "confirmation-of-dispatch");
}

static void no_switches_a_default_off() {
    CHECK_EQUAL(sealed_options({{"x-de-mail-confirmation-of-dispatch", " no"}}), "");
    CHECK_EQUAL(sealed_options({{"x-de-mail-confirmation-of-dispatch", " yes"}}),
                "confirmation-of-dispatch");
}

static void of_an_option_given_twice_the_topmost_counts() {
    CHECK_EQUAL(sealed_options({{"x-de-mail-private", " yes"}, {"X-De-Mail-Private", " no"}}),
                "confirmation-of-dispatch,private");
    CHECK_EQUAL(sealed_options({{"x-de-mail-private", " no"}, {"x-de-mail-private", " YES"}}),
                "confirmation-of-dispatch");
}

static void anything_but_yes_and_no_is_no_value() {
    for (const char *value : {" YES", " Yes", " 1", "", " yes please", " true"})
        CHECK(refused_for(judged_with({"x-de-mail-private", value}), "x-de-mail-private"));
}

static void an_option_that_is_not_allowed_is_refused() {
    CHECK(refused_for(judged_with({"x-de-mail-authoritative", " yes"}), "authoritative"));
    CHECK_EQUAL(judged_with({"x-de-mail-authoritative", " no"}), "take body");
}

static void a_misspelt_option_is_refused() {
    for (const char *name :
         {"x-de-mail-privat", "x-demail-private", "X-De-Mail-Confirmation-of-Reciept",
          "x-de-mail-confirmation-receipt", "x-de-mail-confirmation_of_dispatch",
          "x-de-mail-authorative", "x-de-mail-confirmation-of-retrieval"})
        CHECK(refused_for(judged_with({name, " yes"}), name));
}

static void what_is_no_option_is_only_stripped() {
    for (const char *name : {"x-de-mail-auth-level", "x-de-mail-version", "x-de-mail-messagetype",
                             "x-de-mail-chosen-recipient", "x-de-mail-colour", "demail-private",
                             "x-de-mail-privateid"})
        CHECK_EQUAL(judged_with({name, " yes"}), "take body");
}

static void options_of_ordinary_mail_are_stripped_misspelt_or_not() {
    Firm firm;
    firm.mail_from_anna();
    CHECK_EQUAL(firm.rcpt("<carl@elsewhere.example>"), "250");
    CHECK_EQUAL(firm.annas_header({{"x-demail-private", " YES"}, {"x-de-mail-private", " YES"}}),
                "skip body");
    CHECK_EQUAL(firm.changes().removals.size(), std::size_t{2});
}

int main() {
    return test::run(
        "filter_header",
        {TEST(exactly_one_from_with_exactly_one_mailbox),
         TEST(from_maps_to_the_envelope_senders_de_mail_address),
         TEST(from_is_the_envelope_sender_even_where_any_login_serves_for_any_sender),
         TEST(sender_and_reply_to_fit_the_same_rule), TEST(a_resent_message_is_refused),
         TEST(the_de_mail_sender_may_only_be_repeated), TEST(options_add_to_the_defaults),
         TEST(no_switches_a_default_off), TEST(of_an_option_given_twice_the_topmost_counts),
         TEST(anything_but_yes_and_no_is_no_value), TEST(an_option_that_is_not_allowed_is_refused),
         TEST(a_misspelt_option_is_refused), TEST(what_is_no_option_is_only_stripped),
         TEST(options_of_ordinary_mail_are_stripped_misspelt_or_not)});
}
