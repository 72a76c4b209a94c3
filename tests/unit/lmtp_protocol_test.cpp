#include "check.hpp"
#include "lmtp/protocol.hpp"

#include <string>

using namespace demail::lmtp;

static void verbs_are_read_without_case() {
    CHECK(parse_command("lhlo host").verb == Verb::lhlo);
    CHECK(parse_command("MAIL FROM:<>").verb == Verb::mail);
    CHECK_EQUAL(parse_command("Mail  FROM:<> ").argument, "FROM:<>");
    CHECK(parse_command("MAILFROM:<>").verb == Verb::unknown);
    CHECK(parse_command("").verb == Verb::unknown);
}

static void a_path_is_what_stands_in_the_brackets() {
    CHECK_EQUAL(parse_path("FROM:<a@b>", "FROM")->path, "a@b");
    CHECK_EQUAL(parse_path("from: <a@b>", "FROM")->path, "a@b");
    CHECK_EQUAL(parse_path("FROM:<>", "FROM")->path, "");
    CHECK_EQUAL(parse_path(R"(TO:<"a>\"b"@c>)", "TO")->path, R"("a>\"b"@c)");
}

static void parameters_follow_the_path() {
    const auto got = parse_path("FROM:<a@b> size=12 SMTPUTF8", "FROM");
    CHECK_EQUAL(got->parameters.size(), 2U);
    CHECK_EQUAL(got->parameters[0].first, "SIZE");
    CHECK_EQUAL(*got->parameters[0].second, "12");
    CHECK(!got->parameters[1].second);
}

static void what_is_no_path_is_refused() {
    for (const char *text : {"FROM", "FROM:", "FROM:a@b", "FROM:<a@b", "FROM:<a@b>x", "TO:<a@b>",
                             "FROM:<a<b@c>", "FROM:<a@b> A=1 a=2", "FROM:<a@b> A=", "FROM:<a@b> =1",
                             "FROM:<a\x01@b>", "FROM:<\"a@b>", "FROM:<a\\", "FROM <a@b>"})
        CHECK(!parse_path(text, "FROM"));
}

static void xforward_values_are_decoded() {
    const auto got = parse_xforward("NAME=a+20b ident=4Xy ADDR=[UNAVAILABLE]");
    CHECK_EQUAL(got->size(), 3U);
    CHECK_EQUAL((*got)[0].second, "a b");
    CHECK_EQUAL((*got)[1].first, "IDENT");
    CHECK_EQUAL((*got)[2].second, "");
    for (const char *text : {"", "NAME", "OTHER=1", "NAME=+2", "NAME=+zz"})
        CHECK(!parse_xforward(text));
}

static void a_reply_is_one_line_of_ascii() {
    CHECK_EQUAL(reply_line({250, "2.0.0", "Ok"}), "250 2.0.0 Ok\r\n");
    CHECK_EQUAL(reply_line({354, "", "Go"}), "354 Go\r\n");
    CHECK_EQUAL(reply_line({550, "5.1.1", "a\r\n250 b\xc3\xbc"}),
                "550 5.1.1 a\\x0d\\x0a250 b\\xc3\\xbc\r\n");
}

static void a_long_reply_is_cut_at_512_octets() {
    const std::string line = reply_line({550, "5.1.1", std::string(2000, 'x')});
    CHECK_EQUAL(line.size(), 512U);
    CHECK(line.ends_with("x\r\n"));
    const std::string escaped = reply_line({550, "5.1.1", std::string(2000, '\n')});
    CHECK(escaped.size() <= 512 && escaped.ends_with("\\x0a\r\n"));
}

static void a_reply_that_is_none_becomes_a_temporary_failure() {
    CHECK(reply_line({}).starts_with("451 4.3.0 "));
    CHECK(reply_line({99999, "", "x"}).starts_with("451 4.3.0 "));
    CHECK_EQUAL(reply_line({451, "2.0.0", "x"}), "451 x\r\n");
    CHECK_EQUAL(reply_line({451, "4.0\r\n", "x"}), "451 x\r\n");
}

int main() {
    return demail::test::run("lmtp_protocol",
                             {TEST(verbs_are_read_without_case),
                              TEST(a_path_is_what_stands_in_the_brackets),
                              TEST(parameters_follow_the_path), TEST(what_is_no_path_is_refused),
                              TEST(xforward_values_are_decoded), TEST(a_reply_is_one_line_of_ascii),
                              TEST(a_long_reply_is_cut_at_512_octets),
                              TEST(a_reply_that_is_none_becomes_a_temporary_failure)});
}
