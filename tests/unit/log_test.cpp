#include "base/log.hpp"
#include "check.hpp"

namespace log = demail::log;

static void every_value_is_quoted() {
    CHECK_EQUAL(log::line("sealed", {{"queue_id", "4XyZ"}, {"private_id", ""}}),
                R"(event=sealed queue_id="4XyZ" private_id="")");
}

static void an_event_may_stand_alone() {
    CHECK_EQUAL(log::line("poll", {}), "event=poll");
}

static void quotes_and_backslashes_are_escaped() {
    CHECK_EQUAL(log::line("refused", {{"from", R"("a\b"@x)"}}),
                R"(event=refused from="\"a\\b\"@x")");
}

static void a_line_end_cannot_start_a_line_of_its_own() {
    CHECK_EQUAL(log::line("refused", {{"to", "a\r\nevent=sealed"}}),
                R"(event=refused to="a\x0d\x0aevent=sealed")");
}

static void controls_and_nul_are_escaped() {
    CHECK_EQUAL(log::escaped(std::string_view("\0\x1b[31m\x7f", 7)), R"(\x00\x1b[31m\x7f)");
    CHECK_EQUAL(log::escaped("\xc2\x9b"), R"(\xc2\x9b)");
}

static void utf8_stays_as_it_is() {
    CHECK_EQUAL(log::escaped("Grüße \xe2\x82\xac \xf0\x9f\x93\xa7"),
                "Grüße \xe2\x82\xac \xf0\x9f\x93\xa7");
}

static void invalid_utf8_is_escaped_byte_by_byte() {
    CHECK_EQUAL(log::escaped("\xff"
                             "a\xc3"),
                R"(\xffa\xc3)");
    CHECK_EQUAL(log::escaped("\xc0\xaf"), R"(\xc0\xaf)");
    CHECK_EQUAL(log::escaped("\xed\xa0\x80"), R"(\xed\xa0\x80)");
    CHECK_EQUAL(log::escaped("\xf4\x90\x80\x80"), R"(\xf4\x90\x80\x80)");
}

static void turned_reading_direction_is_shown() {
    CHECK_EQUAL(log::escaped("a\xe2\x80\xae"
                             "b"),
                R"(a\xe2\x80\xaeb)");
}

static void what_nobody_sees_is_shown() {
    CHECK_EQUAL(log::escaped("a\xc2\xad"
                             "b"),
                R"(a\xc2\xadb)");
    CHECK_EQUAL(log::escaped("\xe2\x80\x8b\xef\xb8\x8f\xef\xbb\xbf\xf3\xa0\x84\x80"),
                R"(\xe2\x80\x8b\xef\xb8\x8f\xef\xbb\xbf\xf3\xa0\x84\x80)");
    CHECK_EQUAL(log::escaped("\xe2\x80\x93\xe2\x80\xa6"), "\xe2\x80\x93\xe2\x80\xa6"); // – …
}

int main() {
    return demail::test::run(
        "log", {TEST(every_value_is_quoted), TEST(an_event_may_stand_alone),
                TEST(quotes_and_backslashes_are_escaped),
                TEST(a_line_end_cannot_start_a_line_of_its_own), TEST(controls_and_nul_are_escaped),
                TEST(utf8_stays_as_it_is), TEST(invalid_utf8_is_escaped_byte_by_byte),
                TEST(turned_reading_direction_is_shown), TEST(what_nobody_sees_is_shown)});
}
