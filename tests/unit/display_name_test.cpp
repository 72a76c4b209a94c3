#include "check.hpp"
#include "message/display_name.hpp"

#include <chrono>
#include <string>

using namespace demail;

static void words_stand_unquoted() {
    CHECK_EQUAL(phrase("Anna Muster"), "Anna Muster");
    CHECK_EQUAL(phrase(""), "");
    CHECK_EQUAL(phrase("O'Neil"), "O'Neil");
}

static void what_a_phrase_may_not_hold_is_quoted() {
    CHECK_EQUAL(phrase("Muster, Anna"), "\"Muster, Anna\"");
    CHECK_EQUAL(phrase("Anna Q. Muster"), "\"Anna Q. Muster\"");
    CHECK_EQUAL(phrase("Firm (Berlin) <x>"), "\"Firm (Berlin) <x>\"");
    CHECK_EQUAL(phrase("a \"b\" \\ c"), "\"a \\\"b\\\" \\\\ c\"");
    CHECK_EQUAL(phrase("J\xc3\xbcrgen"), "\"J\xc3\xbcrgen\"");
}

static void encoded_words_stay_as_they_are() {
    CHECK_EQUAL(phrase("=?UTF-8?Q?J=C3=BCrgen?= Muster"), "=?UTF-8?Q?J=C3=BCrgen?= Muster");
    CHECK_EQUAL(phrase("=?utf-8?q?Dr._M=C3=BCller?="), "=?utf-8?q?Dr._M=C3=BCller?=");
    CHECK_EQUAL(phrase("Muster, =?utf-8?b?SsO8cmdlbg==?= A. B"),
                "\"Muster,\" =?utf-8?b?SsO8cmdlbg==?= \"A. B\"");
}

static void what_only_looks_like_an_encoded_word_cannot_end_the_phrase() {
    CHECK_EQUAL(phrase("=?x?q?a\"<evil>?="), "\"=?x?q?a\\\"<evil>?=\"");
    CHECK_EQUAL(phrase("=?x?q?a,b?="), "\"=?x?q?a,b?=\"");
    CHECK_EQUAL(phrase("=?x?z?a.b?="), "\"=?x?z?a.b?=\"");
}

static void blanks_and_control_characters_do_not_get_through() {
    CHECK_EQUAL(phrase("  Anna \t Muster "), "Anna Muster");
    CHECK_EQUAL(phrase(std::string_view("An\0na\r\nBcc: x\x7f", 13)), "\"AnnaBcc: x\"");
    CHECK_EQUAL(phrase(" \t\r\n"), "");
}

static void an_at_sign_is_seen_where_it_stands() {
    CHECK(holds_at_sign("boss@bank.example"));
    CHECK(holds_at_sign("boss\xef\xbc\xa0"
                        "bank.example"));
    CHECK(!holds_at_sign("Anna Muster"));
    CHECK(!holds_at_sign(""));
}

static void an_at_sign_is_seen_within_an_encoded_word() {
    CHECK(holds_at_sign("=?utf-8?q?boss=40bank.example?="));
    CHECK(holds_at_sign("=?utf-8?B?Ym9zc0BiYW5r?="));
    CHECK(holds_at_sign("x=?utf-8?q?boss=40bank?=y"));
    CHECK(holds_at_sign("=?utf-8?q?a?= =?utf-8*de?Q?=40?="));
    CHECK(holds_at_sign("=?=?utf-8?q?=40?="));
    CHECK(!holds_at_sign("=?utf-8?q?J=C3=BCrgen?= =?utf-8?b?SsO8cmdlbg==?="));
    CHECK(!holds_at_sign("=? =?utf-8 =?utf-8?q =?utf-8?q? ?="));
}

static void an_encoded_word_that_cannot_be_decoded_counts_as_one_with_an_at_sign() {
    CHECK(holds_at_sign("=?utf-8?b?!!!?="));
}

// A From field may hold 100 KiB; each of these took seconds when every start was looked at alone.
static void a_long_name_is_read_once() {
    std::string open, one_end;
    while (open.size() < 100000) {
        open += "=?a?b";
        one_end += "=?a?q? ";
    }
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 10; ++i)
        CHECK(!holds_at_sign(open) && !holds_at_sign(one_end + "?="));
    CHECK(holds_at_sign(one_end + "=40?="));
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
}

int main() {
    return demail::test::run(
        "display name",
        {TEST(words_stand_unquoted), TEST(what_a_phrase_may_not_hold_is_quoted),
         TEST(encoded_words_stay_as_they_are),
         TEST(what_only_looks_like_an_encoded_word_cannot_end_the_phrase),
         TEST(blanks_and_control_characters_do_not_get_through),
         TEST(an_at_sign_is_seen_where_it_stands), TEST(an_at_sign_is_seen_within_an_encoded_word),
         TEST(an_encoded_word_that_cannot_be_decoded_counts_as_one_with_an_at_sign),
         TEST(a_long_name_is_read_once)});
}
