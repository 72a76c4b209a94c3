// One normal form for every way an address can be written (contracts.md, "The seal").
#include "check.hpp"
#include "message/address.hpp"

using demail::Address;

namespace {

// The normal form, or what stands for "no address".
std::string normal(std::string_view text) {
    const auto address = Address::parse(text);
    return address ? address->str() : "(none)";
}

bool as_written(std::string_view text) {
    const auto address = Address::parse(text);
    CHECK(address.has_value());
    return address->domain_as_written();
}

} // namespace

static void a_plain_address_keeps_its_local_part_and_lowers_its_domain() {
    CHECK_EQUAL(normal("Anna.Muster@Firm.De-Mail.DE"), "Anna.Muster@firm.de-mail.de");
    CHECK_EQUAL(Address::parse("Anna.Muster@De-Mail.de")->lower(), "anna.muster@de-mail.de");
}

static void angle_brackets_routes_comments_and_blanks_are_no_part_of_it() {
    CHECK_EQUAL(normal("<anna@de-mail.de>"), "anna@de-mail.de");
    CHECK_EQUAL(normal("<@a.example,@b.example:anna@de-mail.de>"), "anna@de-mail.de");
    CHECK_EQUAL(normal("@a.example:anna@de-mail.de"), "anna@de-mail.de");
    CHECK_EQUAL(normal("<@[192.0.2.1]:anna@de-mail.de>"), "anna@de-mail.de");
    CHECK_EQUAL(normal("anna(at home (or not))@(the)de-mail.de(\\))"), "anna@de-mail.de");
    CHECK_EQUAL(normal(" anna @ de-mail\t. de "), "anna@de-mail.de");
    CHECK_EQUAL(normal("anna . muster@de-mail.de"), "anna.muster@de-mail.de");
}

static void one_trailing_dot_is_dropped_and_two_are_refused() {
    CHECK_EQUAL(normal("anna@de-mail.de."), "anna@de-mail.de");
    CHECK_EQUAL(normal("anna@de-mail.de.."), "(none)");
    CHECK_EQUAL(normal("anna@.de-mail.de"), "(none)");
    CHECK_EQUAL(normal("anna@de-mail..de"), "(none)");
}

static void quotes_stay_only_where_they_are_needed() {
    CHECK_EQUAL(normal("\"anna\"@de-mail.de"), "anna@de-mail.de");
    CHECK_EQUAL(normal("\"an\\na\"@de-mail.de"), "anna@de-mail.de");
    CHECK_EQUAL(normal("anna.\"muster\"@de-mail.de"), "anna.muster@de-mail.de");
    CHECK_EQUAL(normal("\"anna muster\"@de-mail.de"), "\"anna muster\"@de-mail.de");
    CHECK_EQUAL(normal("\"a\\\"b\\\\c\"@de-mail.de"), "\"a\\\"b\\\\c\"@de-mail.de");
    CHECK_EQUAL(normal("\"anna@de-mail.de\"@example.org"), "\"anna@de-mail.de\"@example.org");
    CHECK_EQUAL(normal("anna.@example.org"), "\"anna.\"@example.org");
    CHECK_EQUAL(normal("an..na@example.org"), "\"an..na\"@example.org");
}

static void every_unicode_way_to_write_de_mail_de_reads_as_de_mail_de() {
    for (const char *text : {
             "anna@ｄｅ-ｍａｉｌ.ｄｅ",                      // full-width letters
             "anna@DE-MAIL\u3002DE",                         // ideographic full stop
             "anna@de-mail\uff0ede", "anna@de-mail\uff61de", // its full- and half-width relatives
             "anna@de-mail.de\u3002",                        // as the trailing dot
             "anna@de\u00ad-mail.de",                        // soft hyphen
             "anna@de-ma\u200bil.de",                        // zero width space
             "anna@de-mail\ufeff.de", "anna@de-mail\u2060.de", "anna@de-mai\u2113.de",
             "anna@\u1d48\u1d49-mail.de", // modifier letters
         }) {
        CHECK_EQUAL(normal(text), "anna@de-mail.de");
        CHECK(!as_written(text));
    }
}

static void what_a_table_finds_as_it_stands_counts_as_written() {
    CHECK(as_written("anna@De-Mail.de"));
    CHECK(as_written("anna@de-mail.de."));
    CHECK(as_written("<@route.example:\"anna\" (x) @ de-mail.de>"));
    CHECK(as_written("anna@[192.0.2.1]"));
    CHECK(!as_written("anna@bücher.example"));
    CHECK(as_written("anna@xn--bcher-kva.example"));
}

static void u_labels_become_a_labels_without_the_transitional_mapping() {
    CHECK_EQUAL(normal("anna@Bücher.Example"), "anna@xn--bcher-kva.example");
    CHECK_EQUAL(normal("anna@bu\u0308cher.example"), "anna@xn--bcher-kva.example");
    CHECK_EQUAL(normal("anna@straße.example"), "anna@xn--strae-oqa.example");
    CHECK_EQUAL(normal("anna@XN--BCHER-KVA.example"), "anna@xn--bcher-kva.example");
}

static void domains_that_idna_refuses_but_mail_uses_are_kept() {
    CHECK_EQUAL(normal("a@my_host.example.org"), "a@my_host.example.org");
    CHECK_EQUAL(normal("a@r3---sn.example.org"), "a@r3---sn.example.org");
    CHECK_EQUAL(normal("a@-odd-.example.org"), "a@-odd-.example.org");
    CHECK_EQUAL(normal("a@xn--i-7iq.ws"), "a@xn--i-7iq.ws");
    CHECK_EQUAL(normal("a@localhost"), "a@localhost");
}

static void a_domain_that_cannot_be_read_is_refused() {
    for (const char *text :
         {"anna@de\u200d-mail.de", "anna@\u2603.example", "anna@de-mail.de\u2100", "anna@a b.de",
          "anna@de(x)-mail.de", "anna@de-mail.de/x", "anna@foo\uff20de-mail.de", "anna@\xff.de",
          "anna@\u00a0de-mail.de", "anna@\"de-mail.de\"", "anna@\u00ad"})
        CHECK_EQUAL(normal(text), "(none)");
}

static void literals_hold_an_ip_address() {
    CHECK_EQUAL(normal("anna@[192.0.2.1]"), "anna@[192.0.2.1]");
    CHECK_EQUAL(normal("anna@[IPv6:2001:DB8::1]"), "anna@[ipv6:2001:db8::1]");
    CHECK(Address::parse("anna@[192.0.2.1]")->literal());
    CHECK(!Address::parse("anna@de-mail.de")->literal());
    CHECK_EQUAL(normal("anna@[de-mail.de]"), "(none)");
    CHECK_EQUAL(normal("anna@[192.0.2.1"), "(none)");
    CHECK_EQUAL(normal("anna@[192.0.2.1].de"), "(none)");
}

static void local_parts_may_be_utf_8_and_keep_percent_and_bang() {
    CHECK_EQUAL(normal("jürgen@example.org"), "jürgen@example.org");
    CHECK_EQUAL(normal("user%de-mail.de@example.org"), "user%de-mail.de@example.org");
    CHECK_EQUAL(normal("host!user@example.org"), "host!user@example.org");
    CHECK_EQUAL(normal("j\xfcrgen@example.org"), "(none)");
    CHECK_EQUAL(normal("j\xc0\xbcrgen@example.org"), "(none)");
    CHECK_EQUAL(normal("j\u0085rgen@example.org"), "(none)");
}

static void what_is_no_address_is_none() {
    using namespace std::literals;
    for (const std::string_view text : {""sv,
                                        "<>"sv,
                                        "anna"sv,
                                        "anna@"sv,
                                        "@de-mail.de"sv,
                                        "\"\"@de-mail.de"sv,
                                        "a b@de-mail.de"sv,
                                        "a@b@de-mail.de"sv,
                                        "<anna@de-mail.de"sv,
                                        "anna@de-mail.de>"sv,
                                        "<<anna@de-mail.de>>"sv,
                                        "<anna@de-mail.de> x"sv,
                                        "Anna <anna@de-mail.de>"sv,
                                        "anna@de-mail.de, b@de-mail.de"sv,
                                        "\"anna@de-mail.de"sv,
                                        "anna(@de-mail.de"sv,
                                        "a\\@b@de-mail.de"sv,
                                        "anna@de-mail.de\0"sv,
                                        "an\0na@de-mail.de"sv,
                                        "\"a\0\"@de-mail.de"sv,
                                        "\"a\\\0\"@de-mail.de"sv,
                                        "anna@de-mail.de\r\n"sv,
                                        "anna\n @de-mail.de"sv,
                                        "anna@de\x7f-mail.de"sv,
                                        "x:anna@b.de;"sv,
                                        "@a.example anna@de-mail.de"sv})
        CHECK_EQUAL(normal(text), "(none)");
}

static void lengths_are_limited() {
    CHECK(Address::parse(std::string(256, 'a') + "@de-mail.de").has_value());
    CHECK(!Address::parse(std::string(257, 'a') + "@de-mail.de").has_value());
    CHECK(Address::parse("a@" + std::string(63, 'b') + ".de").has_value());
    CHECK(!Address::parse("a@" + std::string(64, 'b') + ".de").has_value());
    std::string domain = "de";
    while (domain.size() <= 255)
        domain.insert(0, "abcdefg.");
    CHECK(!Address::parse("a@" + domain).has_value());
    std::string hidden = "a@de";
    for (int i = 0; i < 100000; ++i)
        hidden += "\u00ad";
    CHECK(!Address::parse(hidden + "-mail.de").has_value());
}

static void addresses_are_equal_without_case() {
    CHECK(*Address::parse("ANNA@de-mail.de") == *Address::parse("anna@DE-MAIL.de."));
    CHECK(!(*Address::parse("anna@de-mail.de") == *Address::parse("anne@de-mail.de")));
    CHECK(!(*Address::parse("anna@de-mail.de") == *Address::parse("anna@x.de-mail.de")));
}

static void a_domain_alone_has_the_same_normal_form() {
    CHECK_EQUAL(demail::normal_domain("De-Mail.DE.").value_or("(none)"), "de-mail.de");
    CHECK_EQUAL(demail::normal_domain("ｄｅ-mail。de").value_or("(none)"), "de-mail.de");
    CHECK_EQUAL(demail::normal_domain("localhost").value_or("(none)"), "localhost");
    CHECK(!demail::normal_domain("[192.0.2.1]"));
    CHECK(!demail::normal_domain("."));
    CHECK(!demail::normal_domain(std::string_view("de-mail.de\0", 11)));
    CHECK(!demail::normal_domain("de mail.de"));
}

int main() {
    return demail::test::run(
        "address",
        {TEST(a_plain_address_keeps_its_local_part_and_lowers_its_domain),
         TEST(angle_brackets_routes_comments_and_blanks_are_no_part_of_it),
         TEST(one_trailing_dot_is_dropped_and_two_are_refused),
         TEST(quotes_stay_only_where_they_are_needed),
         TEST(every_unicode_way_to_write_de_mail_de_reads_as_de_mail_de),
         TEST(what_a_table_finds_as_it_stands_counts_as_written),
         TEST(u_labels_become_a_labels_without_the_transitional_mapping),
         TEST(domains_that_idna_refuses_but_mail_uses_are_kept),
         TEST(a_domain_that_cannot_be_read_is_refused), TEST(literals_hold_an_ip_address),
         TEST(local_parts_may_be_utf_8_and_keep_percent_and_bang), TEST(what_is_no_address_is_none),
         TEST(lengths_are_limited), TEST(addresses_are_equal_without_case),
         TEST(a_domain_alone_has_the_same_normal_form)});
}
