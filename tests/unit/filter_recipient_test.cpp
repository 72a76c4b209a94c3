#include "check.hpp"
#include "filter/recipient.hpp"

#include <string>

using namespace demail;
using namespace demail::filter;

static DomainSnapshot list() {
    DomainSet text, indexed;
    text.set("firm.example", DomainState::active);
    indexed.set("firm.example", DomainState::active);
    text.set("gone.example", DomainState::ended);
    indexed.set("gone.example", DomainState::ended);
    text.set("town.example", DomainState::hinted);
    indexed.set("town.example", DomainState::hinted);
    indexed.set("new.example", DomainState::active);
    return {text, indexed, true};
}

static std::string kind(std::string_view text) {
    switch (read_recipient(text, list()).kind) {
    case RecipientKind::ordinary:
        return "ordinary";
    case RecipientKind::demail:
        return "demail";
    case RecipientKind::too_long:
        return "too long";
    case RecipientKind::ended:
        return "ended";
    case RecipientKind::hinted:
        return "hinted";
    case RecipientKind::in_change:
        return "in change";
    case RecipientKind::unavailable:
        return "unavailable";
    case RecipientKind::not_as_written:
        return "not as written";
    case RecipientKind::hidden:
        return "hidden";
    case RecipientKind::malformed:
        return "malformed";
    default:
        return "malformed demail";
    }
}

static void the_list_and_what_is_built_in_are_de_mail() {
    CHECK_EQUAL(kind("<bob@firm.example>"), "demail");
    CHECK_EQUAL(kind("<bob@de-mail.de>"), "demail");
    CHECK_EQUAL(kind("<bob@deep.below.de-mail.de>"), "demail");
    CHECK_EQUAL(kind("<bob@elsewhere.example>"), "ordinary");
    CHECK_EQUAL(kind("<bob@sub.firm.example>"), "ordinary");
    CHECK_EQUAL(kind("<bob@notde-mail.de>"), "ordinary");
}

static void sendmails_form_without_brackets_is_read_alike() {
    CHECK_EQUAL(kind("bob@firm.example"), "demail");
    CHECK_EQUAL(kind("bob@elsewhere.example"), "ordinary");
}

static void forms_that_postfix_reads_as_the_same_domain_are_de_mail() {
    CHECK_EQUAL(kind("<bob@FIRM.Example>"), "demail");
    CHECK_EQUAL(kind("<bob@firm.example.>"), "demail");
    CHECK_EQUAL(kind("<@relay.example:bob@firm.example>"), "demail");
    CHECK_EQUAL(kind("<\"bob\"@firm.example>"), "demail");
}

static void forms_that_the_transport_map_would_miss_are_told_apart() {
    CHECK_EQUAL(kind("<bob@\xef\xbd\x86irm.example>"), "not as written"); // full-width f
    CHECK_EQUAL(kind("<bob@fi\xc2\xadrm.example>"), "not as written");    // soft hyphen
    CHECK_EQUAL(kind("<bob@firm\xe3\x80\x82"
                     "example>"),
                "not as written");                                         // U+3002
    CHECK_EQUAL(kind("<bob@m\xc3\xbcller.de-mail.de>"), "not as written"); // U-label
    CHECK_EQUAL(kind("<bob@gone\xe3\x80\x82"
                     "example>"),
                "not as written");
}

static void what_is_longer_than_a_de_mail_address_can_be_is_told_apart() {
    const std::string label(60, 'd');
    CHECK_EQUAL(kind("<" + std::string(64, 'b') + "@x.de-mail.de>"), "demail");
    CHECK_EQUAL(kind("<" + std::string(65, 'b') + "@x.de-mail.de>"), "too long");
    CHECK_EQUAL(kind("<b@" + label + "." + label + "." + std::string(56, 'd') + ".de-mail.de>"),
                "demail");
    CHECK_EQUAL(kind("<b@" + label + "." + label + "." + std::string(57, 'd') + ".de-mail.de>"),
                "too long");
}

static void a_de_mail_domain_in_the_local_part_does_not_pass_for_ordinary() {
    CHECK_EQUAL(kind("<bob%firm.example@localhost>"), "hidden");
    CHECK_EQUAL(kind("<\"bob@firm.example\"@localhost>"), "hidden");
    CHECK_EQUAL(kind("<firm.example!bob@localhost>"), "hidden");
    CHECK_EQUAL(kind("<bob%firm.example>"), "malformed demail");
    CHECK_EQUAL(kind("<firm.example!bob>"), "malformed demail");
    CHECK_EQUAL(kind("<bob%firm.example....>"), "malformed demail");
    CHECK_EQUAL(kind("<bob%elsewhere.example@localhost>"), "ordinary");
    CHECK_EQUAL(kind("<bob=firm.example@srs.example>"), "ordinary");
}

static void a_de_mail_domain_that_quotes_or_brackets_break_up_is_seen() {
    for (const char *text :
         {"a%de-mai\"l.de....", "a%de->mail.de.", "a%de-\\mail.de", "a%firm <.example"})
        CHECK_EQUAL(kind(text), "malformed demail");
}

static void domains_that_end_or_change_are_told_apart() {
    CHECK_EQUAL(kind("<bob@gone.example>"), "ended");
    CHECK_EQUAL(kind("<bob@new.example>"), "in change");
}

static void a_domain_that_dns_alone_names_is_refused_in_every_form() {
    CHECK_EQUAL(kind("<ida@town.example>"), "hinted");
    CHECK_EQUAL(kind("<ida@Town.Example.>"), "hinted");
    CHECK_EQUAL(kind("<ida@town\xe3\x80\x82"
                     "example>"),
                "not as written");
    CHECK_EQUAL(kind("<ida%town.example@elsewhere.example>"), "hidden");
    CHECK_EQUAL(kind("<ida@sub.town.example>"), "ordinary");
    CHECK(refusal(read_recipient("<ida@town.example>", list())) == refusal_of_hinted());
}

static void without_a_list_only_what_looks_like_de_mail_waits() {
    const DomainSnapshot none({}, {}, false);
    CHECK(read_recipient("<bob@x.de-mail.de>", none).kind == RecipientKind::unavailable);
    CHECK(read_recipient("<bob@elsewhere.example>", none).kind == RecipientKind::ordinary);
}

static void text_that_is_no_address_is_no_address() {
    CHECK_EQUAL(kind("<a@@b.example>"), "malformed");
    CHECK_EQUAL(kind("<bob@>"), "malformed");
    CHECK_EQUAL(kind("<bob@elsewhere..example>"), "malformed");
    CHECK_EQUAL(kind("<\"bob@firm.example>"), "malformed demail");
    CHECK_EQUAL(kind("<a@firm.example@b.example>"), "malformed demail");
}

static void an_address_without_a_domain_is_not_ours() {
    CHECK_EQUAL(kind("<postmaster>"), "ordinary");
    CHECK_EQUAL(kind("root"), "ordinary");
    CHECK_EQUAL(kind("<>"), "ordinary");
    CHECK_EQUAL(kind("<bob@[192.0.2.1]>"), "ordinary");
}

static void long_local_parts_of_ordinary_mail_pass() {
    CHECK_EQUAL(kind("<" + std::string(120, 'v') + "@list.example>"), "ordinary");
}

int main() {
    return test::run("filter_recipient",
                     {TEST(the_list_and_what_is_built_in_are_de_mail),
                      TEST(sendmails_form_without_brackets_is_read_alike),
                      TEST(forms_that_postfix_reads_as_the_same_domain_are_de_mail),
                      TEST(forms_that_the_transport_map_would_miss_are_told_apart),
                      TEST(what_is_longer_than_a_de_mail_address_can_be_is_told_apart),
                      TEST(a_de_mail_domain_in_the_local_part_does_not_pass_for_ordinary),
                      TEST(a_de_mail_domain_that_quotes_or_brackets_break_up_is_seen),
                      TEST(domains_that_end_or_change_are_told_apart),
                      TEST(a_domain_that_dns_alone_names_is_refused_in_every_form),
                      TEST(without_a_list_only_what_looks_like_de_mail_waits),
                      TEST(text_that_is_no_address_is_no_address),
                      TEST(an_address_without_a_domain_is_not_ours),
                      TEST(long_local_parts_of_ordinary_mail_pass)});
}
