// Options asked for in the Subject: which brackets are flags, what stays of the Subject, octet for
// octet, and what is refused.
#include "check.hpp"
#include "filter/subject_flags.hpp"
#include "filter_fixture.hpp"

using namespace demail;
using demail::test::Firm;
using filter::read_subject_flags;
using filter::SubjectFlags;

/// "private,authoritative| Rest", "| Rest" for no flag, or the refusal.
static std::string read(std::string_view value) {
    const auto read = read_subject_flags(value);
    if (const auto *objection = std::get_if<filter::Objection>(&read)) return objection->sentence;
    const auto &asked = std::get<SubjectFlags>(read);
    OptionSet options;
    for (const Option option : all_options)
        if (!asked.flags[static_cast<std::size_t>(option)].empty()) options.set(option);
    return options.str() + "|" + asked.rest.value_or("as it was");
}

static void each_flag_is_known_in_german_and_in_english() {
    CHECK_EQUAL(read(" [Versandbestätigung] Hello"), "confirmation-of-dispatch| Hello");
    CHECK_EQUAL(read(" [Delivery confirmation] Hello"), "confirmation-of-dispatch| Hello");
    CHECK_EQUAL(read(" [Eingangsbestätigung] Hello"), "confirmation-of-receipt| Hello");
    CHECK_EQUAL(read(" [Receipt confirmation] Hello"), "confirmation-of-receipt| Hello");
    CHECK_EQUAL(read(" [Abholbestätigung] Hello"), "confirmation-of-retrieve| Hello");
    CHECK_EQUAL(read(" [Collection confirmation] Hello"), "confirmation-of-retrieve| Hello");
    CHECK_EQUAL(read(" [Absenderbestätigt] Hello"), "authoritative| Hello");
    CHECK_EQUAL(read(" [Confirmed by sender] Hello"), "authoritative| Hello");
    CHECK_EQUAL(read(" [Persönlich] Hello"), "private| Hello");
    CHECK_EQUAL(read(" [Personal] Hello"), "private| Hello");
}

static void case_blanks_and_the_form_of_an_umlaut_do_not_count() {
    CHECK_EQUAL(read(" [ PERSÖNLICH ] Hello"), "private| Hello");
    CHECK_EQUAL(read(" [per sonal]Hello"), "private| Hello");
    CHECK_EQUAL(read(" [Persoenlich] Hello"), "private| Hello");
    CHECK_EQUAL(read(" [Perso\xcc\x88nlich] Hello"), "private| Hello"); // NFD
    CHECK_EQUAL(read(" [Receipt\xc2\xa0"
                     "confirmation] Hello"),
                "confirmation-of-receipt| Hello"); // no-break space
    CHECK_EQUAL(read("[Receipt\n confirmation]\n Hello"), "confirmation-of-receipt|Hello");
}

static void they_stand_at_the_start_and_at_the_end_several_of_them() {
    CHECK_EQUAL(read(" Hello [Personal]"), "private| Hello");
    CHECK_EQUAL(read(" [Personal] Hello  there [Absenderbestätigt]"),
                "authoritative,private| Hello  there");
    CHECK_EQUAL(read(" [Personal][Absenderbestätigt]  Hello"), "authoritative,private| Hello");
    CHECK_EQUAL(read(" [Personal, Versandbestätigung;Receipt Confirmation] Hello"),
                "confirmation-of-dispatch,confirmation-of-receipt,private| Hello");
    CHECK_EQUAL(read(" [Personal Versandbestätigung] Hello"),
                "confirmation-of-dispatch,private| Hello");
    CHECK_EQUAL(read(" Hello\n [Personal]\n [Absenderbestätigt]"), "authoritative,private| Hello");
    CHECK_EQUAL(read(" [Personal]"), "private| ");
    CHECK_EQUAL(read("[Personal]"), "private| ");
}

static void other_brackets_and_other_places_are_no_flags() {
    for (const char *value :
         {" Hello", " [Ticket 123] Hello", " Re: [Personal] Hello", " the [Personal] file",
          " [[Personal]] Hello", " [Personal Hello", " Personal] Hello", " [] Hello", "", " ]",
          " [", " [Personalabteilung] Hello", " [Personalrat, Betriebsrat] Hello",
          " [listname] [Fwd: x]"})
        CHECK_EQUAL(read(value), "|as it was");
}

static void other_brackets_beside_a_flag_stay() {
    CHECK_EQUAL(read(" [Ticket 123] [Personal] Hello"), "private| [Ticket 123] Hello");
    CHECK_EQUAL(read(" [Personal] [Ticket 123] Hello"), "private| [Ticket 123] Hello");
    CHECK_EQUAL(read(" [Ticket 123][Personal] Hello"), "private| [Ticket 123] Hello");
    CHECK_EQUAL(read(" Hello [Personal] [Ticket 123]"), "private| Hello [Ticket 123]");
    CHECK_EQUAL(read(" [Ticket 123] [Personal]"), "private| [Ticket 123]");
}

static void encoded_words_are_read_and_lose_the_flag_alone() {
    CHECK_EQUAL(read(" =?utf-8?Q?=5BPers=C3=B6nlich=5D_Gr=C3=BC=c3=9fe?="),
                "private| =?utf-8?Q?Gr=C3=BC=c3=9fe?=");
    CHECK_EQUAL(read(" =?ISO-8859-1?Q?[Pers=F6nlich]?= Hello"), "private| Hello");
    CHECK_EQUAL(read(" =?iso-8859-15?q?[Pers=F6nlich]_5_=A4?="),
                "private| =?iso-8859-15?q?5_=A4?=");
    CHECK_EQUAL(read(" =?windows-1252?Q?=80_5_[Absenderbest=E4tigt]?="),
                "authoritative| =?windows-1252?Q?=80_5?=");
    CHECK_EQUAL(read(" =?utf-8*de?Q?[Pers=C3=B6nlich]?= Hello"), "private| Hello");
    // "[Persönlich] Grüße"
    CHECK_EQUAL(read(" =?utf-8?B?W1BlcnPDtm5saWNoXSBHcsO8w59l?="),
                "private| =?utf-8?B?R3LDvMOfZQ==?=");
    // the same in ISO 8859-1, without the padding
    CHECK_EQUAL(read(" =?iso-8859-1?B?W1BlcnP2bmxpY2hdIEdy/N9l?="),
                "private| =?iso-8859-1?B?R3L832U=?=");
    CHECK_EQUAL(read(" =?utf-8?Q?[Personal]?= =?utf-8?Q?Gr=C3=BC=C3=9Fe?="),
                "private| =?utf-8?Q?Gr=C3=BC=C3=9Fe?=");
    CHECK_EQUAL(read(" Hello =?utf-8?Q?[Pers=C3=B6nlich]?="), "private| Hello");
}

static void a_flag_may_be_cut_by_the_ends_of_encoded_words() {
    CHECK_EQUAL(
        read(" =?utf-8?Q?[Versandbest?=\n =?utf-8?Q?=C3=A4tigung]_Gr=C3=BC?=\n =?utf-8?Q?n?="),
        "confirmation-of-dispatch| =?utf-8?Q?Gr=C3=BC?=\n =?utf-8?Q?n?=");
    CHECK_EQUAL(read(" =?utf-8?Q?Gr=C3=BCn_?= =?utf-8?Q?[Pers=C3?= =?utf-8?Q?=B6nlich]?="),
                "private| =?utf-8?Q?Gr=C3=BCn?="); // in the middle of a letter
    CHECK_EQUAL(read(" =?utf-8?Q?Gr=C3=BCn?= [Personal]"), "private| =?utf-8?Q?Gr=C3=BCn?=");
}

static void words_that_come_together_stay_apart_and_legal() {
    CHECK_EQUAL(read(" =?utf-8?Q?[T=C3=B6]?= [Personal] =?utf-8?Q?Gr=C3=BCn?="),
                "private| =?utf-8?Q?[T=C3=B6]?= =?us-ascii?Q?_?= =?utf-8?Q?Gr=C3=BCn?=");
    CHECK_EQUAL(read(" =?utf-8?Q?[T=C3=B6]?= =?utf-8?Q?[Personal]?= Hello"),
                "private| =?utf-8?Q?[T=C3=B6]?= Hello");
}

static void what_cannot_be_read_stays() {
    CHECK_EQUAL(read(" [Personal] =?gb18030?B?xOO6ww==?= \xff\xfe"),
                "private| =?gb18030?B?xOO6ww==?= \xff\xfe");
    CHECK_EQUAL(read(" =?utf-8?X?abc?= =?utf-8?B?*?= [Personal]"),
                "private| =?utf-8?X?abc?= =?utf-8?B?*?=");
}

static void a_flag_with_something_else_in_its_brackets_is_refused() {
    for (const char *value : {" [Personal, urgent] Hello", " Hello [Versandbestätigung; 123]"})
        CHECK(read(value).find("something that is no option") != std::string::npos);
    CHECK(read(" [Personal, urgent] Hello").find("[Personal]") != std::string::npos);
}

static void a_flag_that_is_misspelt_is_refused() {
    for (const char *value : {" [Versandbestatigung] Hello", " [Personlich] Hello",
                              " [Persönliche] Hello", " Hello [Reciept confirmation]"})
        CHECK(read(value).find("not spelt so") != std::string::npos);
}

static void a_subject_without_end_is_refused() {
    CHECK(read(std::string(40000, 'x')).find("too long") != std::string::npos);
}

// In a message of Anna's, whose rule allows confirmation-of-receipt and private.

static std::string header_with(std::string_view subject, std::vector<HeaderField> more,
                               Firm &firm) {
    firm.mail_from_anna();
    CHECK_EQUAL(firm.rcpt("<bob@x.de-mail.de>"), "250");
    more.insert(more.begin(), {{"From", " anna@firm.example"}, {"Subject", std::string(subject)}});
    return firm.header(more);
}

static void flags_and_fields_are_joined_and_the_subject_is_sealed_without_them() {
    Firm firm;
    CHECK_EQUAL(
        header_with(" [Personal] Hello", {{"x-de-mail-confirmation-of-receipt", " yes"}}, firm),
        "take body");
    const filter::Changes changes = firm.changes();
    CHECK(changes.subject.has_value());
    CHECK_EQUAL(changes.subject->name + ":" + changes.subject->value, "Subject: Hello");
    const SealKeys keys = firm.keys();
    const auto seal = std::get<CheckedSeal>(read_seal(*changes.seal, keys)).seal;
    CHECK_EQUAL(seal.options.str(), "confirmation-of-dispatch,confirmation-of-receipt,private");
    CHECK(seal.fields ==
          sealed_fields_digest({{"From", " anna@firm.example"}, {"Subject", " Hello"}}));
}

static void a_flag_needs_the_rules_leave() {
    Firm firm;
    const std::string reply = header_with(" [Absenderbestätigt] Hello", {}, firm);
    CHECK(reply.starts_with("550 5.7.1 "));
    CHECK(reply.find("authoritative") != std::string::npos);
    CHECK(reply.find("[Absenderbestaetigt]") != std::string::npos);
}

static void a_collection_confirmation_needs_private_too() {
    Firm firm;
    auto rules = test::firm_rules();
    rules[0].allow.set(Option::confirmation_of_retrieve);
    firm.rules = std::make_shared<const SenderRules>(rules);
    const std::string reply = header_with(" [Abholbestätigung] Hello", {}, firm);
    CHECK(reply.starts_with("550 5.7.1 "));
    CHECK(reply.find("Persoenlich") != std::string::npos);
    CHECK_EQUAL(header_with(" [Abholbestätigung][Persönlich] Hello", {}, firm), "take body");
}

static void a_pseudonym_cannot_be_confirmed_by_the_sender() {
    Firm firm;
    auto rules = test::firm_rules();
    rules[0].allow.set(Option::authoritative);
    rules[0].as = *AddressPattern::parse("pn_anna@firm.de-mail.de");
    firm.rules = std::make_shared<const SenderRules>(rules);
    CHECK(header_with(" [Absenderbestätigt] Hello", {}, firm).find("pseudonym") !=
          std::string::npos);
    CHECK_EQUAL(header_with(" [Personal] Hello", {}, firm), "take body");
}

static void ordinary_mail_keeps_its_subject() {
    Firm firm;
    firm.mail_from_anna();
    CHECK_EQUAL(firm.rcpt("<carl@elsewhere.example>"), "250");
    CHECK_EQUAL(firm.header({{"From", " anna@firm.example"}, {"Subject", " [Personal, x] Hello"}}),
                "let go");
}

static void where_flags_are_switched_off_the_subject_says_nothing() {
    Firm firm(false, false, [](filter::Settings &settings) { settings.subject_flags = false; });
    CHECK_EQUAL(header_with(" [Absenderbestätigt] Hello", {}, firm), "take body");
    CHECK(!firm.changes().subject.has_value());
}

static void observing_changes_no_subject() {
    Firm firm(true);
    CHECK_EQUAL(header_with(" [Personal] Hello", {}, firm), "let go");
    CHECK(!firm.changes().subject.has_value());
}

int main() {
    return test::run(
        "filter_subject_flags",
        {TEST(each_flag_is_known_in_german_and_in_english),
         TEST(case_blanks_and_the_form_of_an_umlaut_do_not_count),
         TEST(they_stand_at_the_start_and_at_the_end_several_of_them),
         TEST(other_brackets_and_other_places_are_no_flags),
         TEST(other_brackets_beside_a_flag_stay),
         TEST(encoded_words_are_read_and_lose_the_flag_alone),
         TEST(a_flag_may_be_cut_by_the_ends_of_encoded_words),
         TEST(words_that_come_together_stay_apart_and_legal), TEST(what_cannot_be_read_stays),
         TEST(a_flag_with_something_else_in_its_brackets_is_refused),
         TEST(a_flag_that_is_misspelt_is_refused), TEST(a_subject_without_end_is_refused),
         TEST(flags_and_fields_are_joined_and_the_subject_is_sealed_without_them),
         TEST(a_flag_needs_the_rules_leave), TEST(a_collection_confirmation_needs_private_too),
         TEST(a_pseudonym_cannot_be_confirmed_by_the_sender), TEST(ordinary_mail_keeps_its_subject),
         TEST(where_flags_are_switched_off_the_subject_says_nothing),
         TEST(observing_changes_no_subject)});
}
