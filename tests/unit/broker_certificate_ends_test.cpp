// When a card's owner is told that its certificates end.
#include "broker/certificate_ends.hpp"
#include "check.hpp"

#include <string>

using namespace demail::broker;

namespace {

constexpr std::time_t day = 24 * 60 * 60, end = 2'000'000'000;

/// The days before the end at which something is said, of those from 70 to -2.
std::string said(EndWarnings &warnings, const char *card) {
    std::string days;
    for (long left = 70; left >= -2; --left)
        for (const KeyEnd &one : warnings.due(card, {{"demail-auth", end}}, end - left * day))
            days += one.label + " " + std::to_string(left) + ";";
    return days;
}

void each_stage_is_said_once() {
    EndWarnings warnings;
    CHECK_EQUAL(said(warnings, "1"), "demail-auth 60;demail-auth 30;demail-auth 7;demail-auth 0;");
    CHECK_EQUAL(said(warnings, "1"), "");
    CHECK_EQUAL(said(warnings, "2"), "demail-auth 60;demail-auth 30;demail-auth 7;demail-auth 0;");
}

void one_that_is_first_seen_late_is_said_once() {
    EndWarnings warnings;
    CHECK_EQUAL(warnings.due("1", {{"demail-auth", end}}, end - 3 * day).size(), 1U);
    CHECK(warnings.due("1", {{"demail-auth", end}}, end - 2 * day).empty());
}

void a_renewed_certificate_begins_anew() {
    EndWarnings warnings;
    CHECK_EQUAL(warnings.due("1", {{"demail-auth", end}}, end - day).size(), 1U);
    CHECK(warnings.due("1", {{"demail-auth", end + 365 * day}}, end).empty());
    CHECK_EQUAL(warnings.due("1", {{"demail-auth", end + 365 * day}}, end + 330 * day).size(), 1U);
}

void days_are_whole_ones() {
    CHECK_EQUAL(days_between(end - day, end), 1);
    CHECK_EQUAL(days_between(end - day + 1, end), 0);
    CHECK_EQUAL(days_between(end, end), 0);
    CHECK_EQUAL(days_between(end + 1, end), -1);
}

void what_is_no_certificate_has_no_end() {
    CHECK(!end_of_key("1", {{"demail-auth", "1", "no DER"}}));
    CHECK(!end_of_key("1", {}));
}

} // namespace

int main() {
    return demail::test::run("broker_certificate_ends",
                             {TEST(each_stage_is_said_once),
                              TEST(one_that_is_first_seen_late_is_said_once),
                              TEST(a_renewed_certificate_begins_anew), TEST(days_are_whole_ones),
                              TEST(what_is_no_certificate_has_no_end)});
}
