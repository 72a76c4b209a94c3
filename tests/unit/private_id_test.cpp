#include "check.hpp"
#include "message/private_id.hpp"

using namespace demail;

namespace {

const SealKey key("k", std::string(32, 's'));
const std::string part = "g1-0123456789abcdef0123456789abcdef01234567";

PrivateId made(std::string_view user) {
    return PrivateId::make(key, Nonce{}, "visible", user);
}

// What follows "g1-" and the digits.
std::string user_part(std::string_view user) {
    return made(user).str().substr(43);
}

std::string user_value(std::string_view header) {
    return user_private_id(*parse_header(header));
}

} // namespace

static void one_submission_has_one_private_id_and_another_has_another() {
    const Nonce n = new_nonce();
    const PrivateId visible = PrivateId::make(key, n, "visible", "");
    CHECK(visible == PrivateId::make(key, n, "visible", ""));
    CHECK_EQUAL(visible.str(), "g1-" + key.private_id_digits(n, "visible"));
    CHECK(!(visible == PrivateId::make(key, n, "bcc:bea@stadt.de-mail.de", "")));
    CHECK(!(visible == PrivateId::make(key, new_nonce(), "visible", "")));
    CHECK(!(visible == PrivateId::make(SealKey("k", std::string(32, 't')), n, "visible", "")));
}

static void the_users_own_value_comes_behind_a_semicolon() {
    CHECK_EQUAL(user_part("AZ 12/2026; second"), ";AZ 12/2026; second");
    CHECK_EQUAL(made("AZ 12").gateway_part(), made("").str());
    CHECK_EQUAL(user_part(""), "");
}

static void nothing_of_the_users_value_can_break_a_line_or_xml() {
    CHECK_EQUAL(user_part("a\r\nBcc: x\tb"), ";aBcc: x b");
    CHECK_EQUAL(user_part(std::string_view("a\0b\x01\x7f", 5)), ";ab");
    CHECK_EQUAL(user_part("J\xc3\xbcrgen \xff"), ";Jrgen");
    CHECK_EQUAL(user_part(" \t\r\n"), "");
    CHECK_EQUAL(user_part("\xc3\xbc"), "");
}

static void the_whole_is_cut_at_1024_characters() {
    const std::string text = made("a " + std::string(2000, 'x')).str();
    CHECK_EQUAL(text.size(), 1024U);
    CHECK(text.ends_with(";a " + std::string(978, 'x')));
    CHECK_EQUAL(made("a " + std::string(978, 'x')).str(), text);
}

static void a_value_without_a_blank_fits_into_one_line_of_998_octets() {
    CHECK_EQUAL(made(std::string(2000, 'x')).str().size(),
                998 - std::string_view("x-de-mail-private-id: ").size());
}

static void a_private_id_of_ours_is_read() {
    for (const std::string &text :
         {part, part + ";x", part + ";AZ 12/2026; second", made("u").str()}) {
        const auto id = PrivateId::parse(text);
        CHECK(id.has_value());
        CHECK_EQUAL(id->str(), text);
        CHECK_EQUAL(id->gateway_part(), text.substr(0, 43));
    }
}

static void any_other_text_is_no_private_id_of_ours() {
    for (const std::string &text :
         {std::string(), std::string("g1-"), part.substr(0, 42), part + "0", part + ";",
          part + "; x", part + ";x ", part + ";x\r\n y", part + ";\x7f", part + ";\xc3\xbc",
          part + " ;x", part + " ", " " + part, "G1-" + part.substr(3), "g2-" + part.substr(3),
          std::string("g1-0123456789ABCDEF0123456789abcdef01234567"),
          part + ";" + std::string(981, 'x')})
        CHECK(!PrivateId::parse(text));
    CHECK(PrivateId::parse(part + ";" + std::string(980, 'x')));
}

static void the_topmost_private_id_is_the_users() {
    CHECK_EQUAL(user_value("Subject: x\r\nX-De-Mail-Private-ID:  one \r\n"
                           "x-de-mail-private-id: two\r\n"),
                "one");
    CHECK_EQUAL(user_value("x-de-mail-private-id: a\r\n  b\r\n"), "a  b");
    CHECK_EQUAL(user_value("Subject: x\r\n"), "");
}

static void the_misspelt_private_id_counts_where_the_right_one_is_absent() {
    CHECK_EQUAL(user_value("X-de-mail-privat-id: afd\r\n"), "afd");
    CHECK_EQUAL(user_value("X-de-mail-privat-id: afd\r\nx-de-mail-private-id: right\r\n"), "right");
    CHECK_EQUAL(user_value("X-de-mail-privat-id: afd\r\nx-de-mail-private-id:\r\n"), "");
}

int main() {
    return demail::test::run("private-id",
                             {TEST(one_submission_has_one_private_id_and_another_has_another),
                              TEST(the_users_own_value_comes_behind_a_semicolon),
                              TEST(nothing_of_the_users_value_can_break_a_line_or_xml),
                              TEST(the_whole_is_cut_at_1024_characters),
                              TEST(a_value_without_a_blank_fits_into_one_line_of_998_octets),
                              TEST(a_private_id_of_ours_is_read),
                              TEST(any_other_text_is_no_private_id_of_ours),
                              TEST(the_topmost_private_id_is_the_users),
                              TEST(the_misspelt_private_id_counts_where_the_right_one_is_absent)});
}
