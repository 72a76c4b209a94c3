// Header fields with their exact bytes, and the firewall's reading of names.
#include "check.hpp"
#include "message/header.hpp"

using demail::HeaderField;
using demail::HeaderFields;

namespace {

HeaderFields read(std::string_view block) {
    auto fields = demail::parse_header(block);
    CHECK(fields.has_value());
    return std::move(*fields);
}

std::string written(const HeaderFields &fields) {
    std::string block;
    for (const HeaderField &field : fields)
        block += field.name + ':' + field.value + "\r\n";
    return block;
}

} // namespace

static void fields_keep_every_byte() {
    const std::string block = "Subject: a\r\n b\r\n\t  c \r\nX-Empty:\r\nFrom :  Anna <a@b.de> \r\n"
                              "X-8-Bit: J\xfcrgen J\xc3\xbcrgen : \r\n \r\n";
    const auto fields = read(block);
    CHECK_EQUAL(fields.size(), 4U);
    CHECK_EQUAL(fields[0].name, "Subject");
    CHECK_EQUAL(fields[0].value, " a\r\n b\r\n\t  c ");
    CHECK_EQUAL(fields[1].value, "");
    CHECK_EQUAL(fields[2].name, "From ");
    CHECK_EQUAL(written(fields), block);
    CHECK_EQUAL(written(read(block + "\r\n")), block);
}

static void an_empty_block_has_no_fields() {
    CHECK(read("").empty());
    CHECK(read("\r\n").empty());
}

static void what_is_no_header_is_refused() {
    using namespace std::literals;
    for (const std::string_view block :
         {" folded: first\r\n"sv, "\tx\r\n"sv, "no colon\r\n"sv, ": empty name\r\n"sv, " : x\r\n"sv,
          "Two words: x\r\n"sv, "From anna 12:00\r\n"sv, "A: b\r\nno colon\r\n"sv,
          "A: b\r\n\r\nB: body\r\n"sv, "A: b\nB: c\r\n"sv, "A: b\rB: c\r\n"sv, "A: \0\r\n"sv,
          "A\0: x\r\n"sv, "A\x7f: x\r\n"sv, "\xc3\xa4: x\r\n"sv, "A\xc2\xa0: x\r\n"sv,
          "A\x01:x\r\n"sv, "A: b\r\n c\nd\r\n"sv})
        CHECK(!demail::parse_header(block).has_value());
}

static void names_compare_without_case_and_blanks_before_the_colon() {
    const HeaderField field{"X-De-Mail-Private \t", " yes"};
    CHECK(field.is("x-de-mail-private"));
    CHECK(!field.is("x-de-mail-privat"));
    CHECK(!field.is("x-de-mail-private-id"));
}

static void a_value_unfolds_over_crlf_and_over_the_milters_lf() {
    CHECK_EQUAL((HeaderField{"A", " one\r\n two\r\n\tthree \r\n "}.unfolded()), "one two\tthree");
    CHECK_EQUAL((HeaderField{"A", " one\n two\n\tthree \n "}.unfolded()), "one two\tthree");
    CHECK_EQUAL((HeaderField{"A", "\r\n"}.unfolded()), "");
}

static void the_topmost_field_counts() {
    const auto fields = read("A: 1\r\nB: 2\r\na: 3\r\n");
    CHECK_EQUAL(demail::topmost(fields, "A")->value, " 1");
    CHECK(demail::topmost(fields, "C") == nullptr);
    CHECK_EQUAL(demail::count(fields, "A"), 2U);
    CHECK_EQUAL(demail::count(fields, "C"), 0U);
}

// RFC 6376 3.4.5, the header of the example.
static void relaxed_gives_the_example_of_rfc_6376() {
    const auto fields = read("A: X\r\nB : Y\t\r\n\tZ  \r\n");
    CHECK_EQUAL(demail::relaxed(fields[0]), "a:X\r\n");
    CHECK_EQUAL(demail::relaxed(fields[1]), "b:Y Z\r\n");
}

static void relaxed_is_the_same_for_the_milter_and_the_relay() {
    const std::string once = demail::relaxed({"Subject", "  a \n\t b\n  \n c\t"});
    CHECK_EQUAL(once, "subject:a b c\r\n");
    CHECK_EQUAL(demail::relaxed({"SUBJECT ", "a \r\n\t b\r\n  \r\n c"}), once);
    CHECK_EQUAL(demail::relaxed({"Subject", " \r\n "}), "subject:\r\n");
}

static void a_name_reads_as_de_mail_however_it_is_dressed() {
    for (const char *name : {"x-de-mail-auth",
                             "X-DE-MAIL-AUTH",
                             "XDeMail",
                             "x_de_mail_auth",
                             "De-Mail",
                             "demail",
                             "Demail-Seal",
                             "DE MAIL",
                             "x--de--mail",
                             "-x-de-mail",
                             "x-d-e-m-a-i-l",
                             "x-de-mail ",
                             "x\tde mail",
                             "x\u00a0de\u00admail",
                             "x\xa0"
                             "demail",
                             "x\u2010de\u2011mail",
                             "\u200bx-de\u2212mail",
                             "x-de-mailer",
                             "x-demail-foo",
                             "x.de.mail",
                             "X+De+Mail[level]",
                             "\"Demail-Seal\"",
                             "=?utf-8?q?x-de-mail?=",
                             "X-=?utf-8?q?De?=-Mail"})
        CHECK(demail::reads_as_demail(name));
}

static void other_names_do_not_read_as_de_mail() {
    for (const char *name :
         {"", "x", "x-mailer", "delivered-to", "x-de-mai", "demai", "y-de-mail", "xx-de-mail",
          "x-not-de-mail", "x2-de-mail", "x-de1mail", "email", "received", "x=y?"})
        CHECK(!demail::reads_as_demail(name));
}

static void a_sender_may_set_eight_names_exactly_so_spelt() {
    for (const char *name :
         {"x-de-mail-confirmation-of-dispatch", "x-de-mail-confirmation-of-receipt",
          "x-de-mail-confirmation-of-retrieve", "x-de-mail-authoritative", "x-de-mail-private",
          "x-de-mail-sender", "x-de-mail-private-id", "x-de-mail-privat-id", "X-De-Mail-Private"}) {
        CHECK(demail::sender_may_set(name));
        CHECK(demail::reads_as_demail(name));
    }
    for (const char *name :
         {"", "x-de-mail-private ", "x-de-mail-privat", "x_de_mail_private", "xdemailprivate",
          "x-de-mail-auth-level", "x-de-mail-message-id", "x-de-mail-chosen-recipient",
          "Demail-Seal", "private", "x-de-mail-sender-x"})
        CHECK(!demail::sender_may_set(name));
}

int main() {
    return demail::test::run(
        "header", {TEST(fields_keep_every_byte), TEST(an_empty_block_has_no_fields),
                   TEST(what_is_no_header_is_refused),
                   TEST(names_compare_without_case_and_blanks_before_the_colon),
                   TEST(a_value_unfolds_over_crlf_and_over_the_milters_lf),
                   TEST(the_topmost_field_counts), TEST(relaxed_gives_the_example_of_rfc_6376),
                   TEST(relaxed_is_the_same_for_the_milter_and_the_relay),
                   TEST(a_name_reads_as_de_mail_however_it_is_dressed),
                   TEST(other_names_do_not_read_as_de_mail),
                   TEST(a_sender_may_set_eight_names_exactly_so_spelt)});
}
