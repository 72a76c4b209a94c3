#include "check.hpp"
#include "message/recipients.hpp"

#include <algorithm>

using namespace demail;

namespace {

// "to:a@x cc:b@x bcc:c@x", in the envelope's order.
std::string classified(const std::vector<const char *> &envelope, std::string_view header) {
    std::vector<Address> addresses;
    for (const char *text : envelope)
        addresses.push_back(*Address::parse(text));
    std::string out;
    for (const Recipient &recipient : classify(addresses, *parse_header(header)))
        out.append(out.empty() ? "" : " ")
            .append(name(recipient.field))
            .append(":")
            .append(recipient.address.str());
    return out;
}

Recipient recipient(std::string_view address, RecipientField field) {
    return {*Address::parse(address), field};
}

} // namespace

static void recipients_are_sorted_by_where_the_header_names_them() {
    CHECK_EQUAL(classified({"c@x.de-mail.de", "a@x.de-mail.de", "b@x.de-mail.de"},
                           "To: A <a@x.de-mail.de>, other@firm.example\r\n"
                           "Cc: b@x.de-mail.de\r\n"),
                "bcc:c@x.de-mail.de to:a@x.de-mail.de cc:b@x.de-mail.de");
}

static void to_wins_over_cc() {
    CHECK_EQUAL(classified({"a@x.de"}, "Cc: a@x.de\r\nTo: a@x.de\r\n"), "to:a@x.de");
}

static void addresses_are_compared_in_normal_form() {
    CHECK_EQUAL(classified({"Anna@X.de.", "b@xn--mller-kva.example"},
                           "To: \"anna\"@x.DE\r\nCc: B@m\u00fcller.example\r\n"),
                "to:Anna@x.de cc:b@xn--mller-kva.example");
}

static void members_of_a_group_are_named() {
    CHECK_EQUAL(classified({"a@x.de", "b@x.de"}, "To: Board: Anna <a@x.de>, b@x.de;\r\n"),
                "to:a@x.de to:b@x.de");
}

static void several_fields_of_one_name_all_count() {
    CHECK_EQUAL(classified({"a@x.de", "b@x.de"}, "To: a@x.de\r\nTo: b@x.de\r\n"),
                "to:a@x.de to:b@x.de");
}

static void a_recipient_that_is_there_twice_is_one() {
    CHECK_EQUAL(classified({"a@x.de", "b@x.de", "A@X.DE"}, "To: a@x.de\r\n"),
                "to:a@x.de bcc:b@x.de");
}

static void whom_only_bcc_names_and_whom_nothing_names_is_bcc() {
    CHECK_EQUAL(classified({"a@x.de", "b@x.de"}, "Bcc: a@x.de\r\n"), "bcc:a@x.de bcc:b@x.de");
    CHECK_EQUAL(classified({"a@x.de"}, "To: undisclosed-recipients:;\r\n"), "bcc:a@x.de");
}

static void a_field_that_is_no_address_list_shows_nobody() {
    CHECK_EQUAL(classified({"a@x.de"}, "To: a@x.de, <\r\n"), "bcc:a@x.de");
}

static void an_address_within_a_display_name_names_nobody() {
    CHECK_EQUAL(classified({"a@x.de"}, "To: \"a@x.de\" <b@x.de>\r\nCc: (a@x.de) c@x.de\r\n"),
                "bcc:a@x.de");
}

static void all_visible_recipients_are_one_submission_and_each_bcc_is_one() {
    CHECK_EQUAL(submission_class(recipient("a@x.de", RecipientField::to)), "visible");
    CHECK_EQUAL(submission_class(recipient("a@x.de", RecipientField::cc)), "visible");
    CHECK_EQUAL(submission_class(recipient("Anna@X.de", RecipientField::bcc)), "bcc:anna@x.de");
}

static void chosen_recipient_names_each_element_once() {
    CHECK_EQUAL(chosen_recipient({recipient("a@x.de", RecipientField::to),
                                  recipient("C@x.de", RecipientField::cc),
                                  recipient("b@x.de", RecipientField::to)}),
                "to=a@x.de,b@x.de;cc=c@x.de");
    CHECK_EQUAL(chosen_recipient({recipient("c@x.de", RecipientField::cc)}), "cc=c@x.de");
    CHECK_EQUAL(chosen_recipient({recipient("D@X.de", RecipientField::bcc)}), "bcc=d@x.de");
}

static void chosen_recipient_is_folded_at_78_octets_and_unfolds_to_the_same() {
    std::vector<Recipient> recipients;
    std::string expected;
    for (int i = 0; i < 120; ++i) {
        const std::string text = "recipient" + std::to_string(i) + "@stadt.de-mail.de";
        recipients.push_back(recipient(text, i < 60 ? RecipientField::to : RecipientField::cc));
        expected += (i == 0 ? "to=" : i == 60 ? ";cc=" : ",") + text;
    }
    std::string line = "x-de-mail-chosen-recipient: ";
    std::string unfolded;
    for (const char c : chosen_recipient(recipients) + "\r\n") {
        if (c == '\n') {
            CHECK(line.size() <= 78);
            line.clear();
        } else if (c != '\r') {
            line += c;
            if (c != ' ') unfolded += c;
        }
    }
    CHECK_EQUAL(unfolded, expected);
}

int main() {
    return demail::test::run(
        "recipients",
        {TEST(recipients_are_sorted_by_where_the_header_names_them), TEST(to_wins_over_cc),
         TEST(addresses_are_compared_in_normal_form), TEST(members_of_a_group_are_named),
         TEST(several_fields_of_one_name_all_count), TEST(a_recipient_that_is_there_twice_is_one),
         TEST(whom_only_bcc_names_and_whom_nothing_names_is_bcc),
         TEST(a_field_that_is_no_address_list_shows_nobody),
         TEST(an_address_within_a_display_name_names_nobody),
         TEST(all_visible_recipients_are_one_submission_and_each_bcc_is_one),
         TEST(chosen_recipient_names_each_element_once),
         TEST(chosen_recipient_is_folded_at_78_octets_and_unfolds_to_the_same)});
}
