#include "check.hpp"
#include "filter/firewall.hpp"

#include <string>
#include <vector>

using demail::filter::Firewall;
using demail::filter::Removal;

static std::string removed(const std::vector<std::string> &names, bool of_demail = true) {
    Firewall firewall;
    for (const std::string &name : names)
        firewall.see(name, of_demail);
    std::string text;
    for (const Removal &one : firewall.removals())
        text += (text.empty() ? "" : " ") + one.name + "/" + std::to_string(one.index);
    return text;
}

static void fields_of_ordinary_mail_stay() {
    CHECK_EQUAL(removed({"From", "To", "Date", "DKIM-Signature", "X-Mailer", "X-Demand", "X-De",
                         "Mail-Followup-To", "Delivered-To"}),
                "");
}

static void what_only_a_provider_sets_goes() {
    CHECK_EQUAL(removed({"X-De-Mail-Auth-Level"}), "X-De-Mail-Auth-Level/1");
    CHECK_EQUAL(removed({"x-de-mail-integrity"}), "x-de-mail-integrity/1");
    CHECK_EQUAL(removed({"x-de-mail-message-type"}), "x-de-mail-message-type/1");
    CHECK_EQUAL(removed({"x-de-mail-chosen-recipient"}), "x-de-mail-chosen-recipient/1");
}

static void every_spelling_that_reads_as_de_mail_goes() {
    for (const char *name :
         {"X-DE-MAIL-AUTH-LEVEL", "x_de_mail_auth_level", "XDeMail", "X-DeMail-",
          "x--de--mail-auth-level", "X-De-Mail-Auth ", "x-de-mail-privat", "x-demail-private",
          "X-De_Mail-Private", "Demail-Results", "De-Mail-X", "DEMAIL", "x-de-mail"})
        CHECK_EQUAL(removed({name}), std::string(name) + "/1");
}

static void our_own_seal_fields_go() {
    CHECK_EQUAL(removed({"Demail-Seal"}), "Demail-Seal/1");
    CHECK_EQUAL(removed({"demail-seal", "De-mail-Seal"}), "demail-seal/1 De-mail-Seal/1");
}

static void the_highest_index_goes_first() {
    CHECK_EQUAL(removed({"x-de-mail-version", "Subject", "X-De-Mail-Version", "X-DE-MAIL-VERSION"}),
                "X-DE-MAIL-VERSION/3 X-De-Mail-Version/2 x-de-mail-version/1");
}

static void each_name_is_counted_for_itself() {
    CHECK_EQUAL(removed({"x-de-mail-version", "x-de-mail-auth-level", "x-de-mail-version"}),
                "x-de-mail-version/2 x-de-mail-version/1 x-de-mail-auth-level/1");
}

static void what_a_sender_may_set_is_in_the_seal_but_for_the_private_id() {
    CHECK_EQUAL(removed({"x-de-mail-private", "x-de-mail-sender", "x-de-mail-private-id",
                         "x-de-mail-privat-id", "X-De-Mail-Confirmation-Of-Receipt"}),
                "x-de-mail-private/1 x-de-mail-sender/1 X-De-Mail-Confirmation-Of-Receipt/1");
    CHECK_EQUAL(removed({"x-de-mail-private-id", "X-De-Mail-Private-ID"}),
                "X-De-Mail-Private-ID/2");
    CHECK_EQUAL(removed({"x-de-mail-private", "X-De-Mail-Private", "x-de-mail-private"}),
                "x-de-mail-private/3 X-De-Mail-Private/2 x-de-mail-private/1");
}

static void what_a_sender_may_set_is_no_forgery_to_log() {
    Firewall firewall;
    firewall.see("x-de-mail-private", true);
    CHECK(!firewall.anything_to_remove());
    CHECK_EQUAL(firewall.names(), "");
}

static void of_other_mail_that_goes_too() {
    CHECK_EQUAL(
        removed({"x-de-mail-private", "Subject", "X-De-Mail-Sender", "x-de-mail-private"}, false),
        "x-de-mail-private/2 x-de-mail-private/1 X-De-Mail-Sender/1");
}

static void hundreds_of_them_are_over_the_limit() {
    Firewall firewall;
    for (std::size_t i = 0; i < Firewall::limit; ++i)
        firewall.see("x-de-mail-version", false);
    CHECK(!firewall.over_limit());
    firewall.see("x-de-mail-version", false);
    CHECK(firewall.over_limit());
    CHECK_EQUAL(firewall.size(), Firewall::limit);
}

int main() {
    return demail::test::run(
        "filter_firewall",
        {TEST(fields_of_ordinary_mail_stay), TEST(what_only_a_provider_sets_goes),
         TEST(every_spelling_that_reads_as_de_mail_goes), TEST(our_own_seal_fields_go),
         TEST(the_highest_index_goes_first), TEST(each_name_is_counted_for_itself),
         TEST(what_a_sender_may_set_is_in_the_seal_but_for_the_private_id),
         TEST(what_a_sender_may_set_is_no_forgery_to_log), TEST(of_other_mail_that_goes_too),
         TEST(hundreds_of_them_are_over_the_limit)});
}
