// The mailboxes of From, To, Cc and their like (RFC 5322 3.4, 4.4 and appendix A).
#include "check.hpp"
#include "message/address.hpp"

#include <chrono>

namespace {

// "name <address>|name <address>", or what stands for "no list".
std::string mailboxes(std::string_view value) {
    const auto list = demail::parse_mailboxes(value);
    if (!list) return "(none)";
    std::string text;
    for (const demail::Mailbox &mailbox : *list) {
        if (!text.empty()) text += '|';
        text += mailbox.display_name + '<' + mailbox.address.str() + '>';
    }
    return text;
}

std::string repeated(std::string_view piece, std::size_t size) {
    std::string text;
    while (text.size() < size)
        text += piece;
    return text;
}

} // namespace

static void names_and_addresses_are_read() {
    CHECK_EQUAL(mailboxes("anna@de-mail.de"), "<anna@de-mail.de>");
    CHECK_EQUAL(mailboxes(" Anna Muster <Anna@De-Mail.de>"), "Anna Muster<Anna@de-mail.de>");
    CHECK_EQUAL(mailboxes("\"Muster, Anna\" <anna@de-mail.de>, <b@x.de>,c@y.de"),
                "Muster, Anna<anna@de-mail.de>|<b@x.de>|<c@y.de>");
    CHECK_EQUAL(mailboxes("\"a\\\"b@c\" <anna@de-mail.de>"), "a\"b@c<anna@de-mail.de>");
}

// RFC 5322 appendix A.1.2, A.1.3, A.5, A.6.1, A.6.3
static void the_examples_of_rfc_5322_are_read() {
    CHECK_EQUAL(mailboxes("\"Joe Q. Public\" <john.q.public@example.com>"),
                "Joe Q. Public<john.q.public@example.com>");
    CHECK_EQUAL(mailboxes("<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>"),
                "<boss@nil.test>|Giant; \"Big\" Box<sysservices@example.net>");
    CHECK_EQUAL(mailboxes("A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;"),
                "Ed Jones<c@a.test>|<joe@where.test>|John<jdoe@one.test>");
    CHECK_EQUAL(mailboxes("Undisclosed recipients:;"), "");
    CHECK_EQUAL(mailboxes("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>"),
                "Pete<pete@silly.test>");
    CHECK_EQUAL(
        mailboxes("A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,"
                  "\r\n         joe@example.org,\r\n  John <jdoe@one.test> (my dear friend); "
                  "(the end of the group)"),
        "Chris Jones<c@public.example>|<joe@example.org>|John<jdoe@one.test>");
    CHECK_EQUAL(mailboxes("(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;"), "");
    CHECK_EQUAL(mailboxes("Joe Q. Public <john.q.public@example.com>"),
                "Joe Q. Public<john.q.public@example.com>");
    CHECK_EQUAL(mailboxes("Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example"),
                "Mary Smith<mary@example.net>|<jdoe@test.example>");
}

static void folds_may_be_crlf_or_lf() {
    CHECK_EQUAL(mailboxes(" Anna\r\n Muster\r\n <anna@de-mail.de>,\r\n\tb@x.de"),
                "Anna Muster<anna@de-mail.de>|<b@x.de>");
    CHECK_EQUAL(mailboxes(" Anna\n Muster\n <anna@de-mail.de>,\n\tb@x.de\n"),
                "Anna Muster<anna@de-mail.de>|<b@x.de>");
    CHECK_EQUAL(mailboxes("\"Anna\r\n Muster\" <anna@de-mail.de>"), "Anna Muster<anna@de-mail.de>");
    CHECK_EQUAL(mailboxes("anna@de-mail.de,\nb@x.de"), "(none)");
    CHECK_EQUAL(mailboxes("anna@de-mail.de,\r b@x.de"), "(none)");
    CHECK_EQUAL(mailboxes("\"Anna\nMuster\" <anna@de-mail.de>"), "(none)");
}

static void encoded_words_and_8_bit_names_stay_as_they_are() {
    CHECK_EQUAL(mailboxes("=?utf-8?Q?J=C3=BCrgen?= =?utf-8?B?4pyJ?= <j@x.de>"),
                "=?utf-8?Q?J=C3=BCrgen?= =?utf-8?B?4pyJ?=<j@x.de>");
    CHECK_EQUAL(mailboxes("J\xfcrgen <j@x.de>"), "J\xfcrgen<j@x.de>");
    CHECK_EQUAL(mailboxes("Jürgen <jürgen@bücher.example>"),
                "Jürgen<jürgen@xn--bcher-kva.example>");
}

static void empty_elements_count_for_nothing() {
    CHECK_EQUAL(mailboxes(""), "");
    CHECK_EQUAL(mailboxes(" , ,(c),"), "");
    CHECK_EQUAL(mailboxes(",a@x.de,,b@y.de,"), "<a@x.de>|<b@y.de>");
    CHECK_EQUAL(mailboxes("g:,a@x.de,,;,h:;"), "<a@x.de>");
}

static void what_is_no_list_of_mailboxes_is_refused() {
    using namespace std::literals;
    for (const std::string_view value : {"anna"sv,
                                         "anna, b@x.de"sv,
                                         "a@x.de b@y.de"sv,
                                         "<a@x.de> b"sv,
                                         "<a@x.de> <b@y.de>"sv,
                                         "<a@x.de"sv,
                                         "a@x.de>"sv,
                                         "<>"sv,
                                         "a@x.de <b@y.de>"sv,
                                         "Muster, Anna <a@x.de>"sv,
                                         "g:a@x.de"sv,
                                         "g:h:a@x.de;;"sv,
                                         ":a@x.de;"sv,
                                         "a@x.de;"sv,
                                         ";"sv,
                                         "g:;b@y.de"sv,
                                         "g:; x"sv,
                                         "\"a <a@x.de>"sv,
                                         "(a <a@x.de>"sv,
                                         "a) <a@x.de>"sv,
                                         "a\\ <a@x.de>"sv,
                                         "a@x.de:"sv,
                                         "Anna\0 <a@x.de>"sv,
                                         "Anna\x7f <a@x.de>"sv,
                                         "\"\0\" <a@x.de>"sv,
                                         "(\0) a@x.de"sv,
                                         "<a@x.de>:;"sv,
                                         "[x] <a@x.de>"sv,
                                         "anna <a b@x.de>"sv,
                                         "a@[x.de]"sv})
        CHECK_EQUAL(mailboxes(value), "(none)");
}

static void a_list_over_the_limit_is_refused() {
    CHECK(demail::parse_mailboxes("a@x.de,b@x.de", 2).has_value());
    CHECK(!demail::parse_mailboxes("a@x.de,b@x.de,c@x.de", 2).has_value());
    CHECK(!demail::parse_mailboxes("a@x.de", 0).has_value());
}

static void comments_nest_a_hundred_deep_and_no_deeper() {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '(') + std::string(depth, ')') + "a@x.de";
    };
    CHECK_EQUAL(mailboxes(nested(100)), "<a@x.de>");
    CHECK_EQUAL(mailboxes(nested(101)), "(none)");
}

// A time that grows with the square would be minutes here.
static void a_mebibyte_of_anything_takes_a_moment() {
    constexpr std::size_t mebibyte = 1 << 20;
    const auto start = std::chrono::steady_clock::now();
    for (const char *piece :
         {"(",  ",", "()",  "<",    "@",    "\"",  "\"\"",  "a",   "a ", ".",  ":",    ";",
          "\\", "[", "g:;", "g:;,", "<@a,", "@a,", "\r\n ", "\n ", "a.", "a@", "\xad", "(a)b"})
        (void)demail::parse_mailboxes(repeated(piece, mebibyte));
    for (const char *piece : {"a@x.de,", "a <a@x.de>,", "(", "\u00ad", "a.", "."})
        (void)demail::parse_mailboxes("a@x" + repeated(piece, mebibyte));
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
}

int main() {
    return demail::test::run(
        "mailboxes",
        {TEST(names_and_addresses_are_read), TEST(the_examples_of_rfc_5322_are_read),
         TEST(folds_may_be_crlf_or_lf), TEST(encoded_words_and_8_bit_names_stay_as_they_are),
         TEST(empty_elements_count_for_nothing), TEST(what_is_no_list_of_mailboxes_is_refused),
         TEST(a_list_over_the_limit_is_refused), TEST(comments_nest_a_hundred_deep_and_no_deeper),
         TEST(a_mebibyte_of_anything_takes_a_moment)});
}
