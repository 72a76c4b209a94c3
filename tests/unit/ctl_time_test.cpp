// Times as a person writes and reads them at demailctl.
#include "check.hpp"
#include "programs/ctl_time.hpp"
#include "programs/history_time.hpp"

#include <cstdlib>
#include <ctime>
#include <random>

using namespace demail;
using namespace demail::ctl;

namespace {

constexpr Microseconds second = 1'000'000;
constexpr Microseconds noon = 1'795'953'600 * second; // 2026-11-29 12:00 UTC

std::string since(std::string_view text) {
    const auto time = read_since(text, noon);
    return time ? write_time(*time) : "none";
}

} // namespace

static void a_span_goes_back_from_now() {
    CHECK_EQUAL(since("0s"), "2026-11-29T12:00:00.000000Z");
    CHECK_EQUAL(since("90s"), "2026-11-29T11:58:30.000000Z");
    CHECK_EQUAL(since("15m"), "2026-11-29T11:45:00.000000Z");
    CHECK_EQUAL(since("2h"), "2026-11-29T10:00:00.000000Z");
    CHECK_EQUAL(since("3d"), "2026-11-26T12:00:00.000000Z");
    CHECK_EQUAL(since("1w"), "2026-11-22T12:00:00.000000Z");
}

static void a_day_and_a_time_without_a_zone_are_local() {
    CHECK_EQUAL(since("2026-11-29"), "2026-11-28T23:00:00.000000Z");
    CHECK_EQUAL(since("2026-07-01"), "2026-06-30T22:00:00.000000Z");
    CHECK_EQUAL(since("2026-11-29T14:30"), "2026-11-29T13:30:00.000000Z");
    CHECK_EQUAL(since("2026-11-29 14:30:05"), "2026-11-29T13:30:05.000000Z");
}

static void a_zone_is_taken_as_it_stands() {
    CHECK_EQUAL(since("2026-11-29T14:30Z"), "2026-11-29T14:30:00.000000Z");
    CHECK_EQUAL(since("2026-11-29T14:30:00+02:00"), "2026-11-29T12:30:00.000000Z");
    CHECK_EQUAL(since("2026-11-29T14:30:00-0530"), "2026-11-29T20:00:00.000000Z");
}

static void what_is_no_time_is_none() {
    for (const char *text : {"",
                             "yesterday",
                             "3",
                             "d",
                             "-3d",
                             "3.5h",
                             "3dd",
                             "3 d",
                             "9999999999999999999d",
                             "2026-11",
                             "2026-13-01",
                             "2026-06-31",
                             "2026-02-29",
                             "2026-11-29T",
                             "2026-11-29T25:00",
                             "2026-11-29T14:60",
                             "2026-11-29T14",
                             "2026-11-29X14:30",
                             "2026-11-29T14:30+99:00",
                             "2026-11-29T14:30:00 CET",
                             "29.11.2026",
                             "2026-11-29T14:30:"})
        CHECK_EQUAL(std::string(text) + ": " + since(text), std::string(text) + ": none");
}

static void random_octets_are_a_time_or_none() {
    std::mt19937 random(7);
    for (int i = 0; i < 100'000; ++i) {
        std::string text(random() % 24, '\0');
        for (char &c : text)
            c = static_cast<char>(i % 8 == 0 ? random() : "0123456789-T: +Zsmhdw."[random() % 22]);
        if (const auto time = read_since(text, noon)) CHECK(!write_time(*time).empty());
        (void)read_time(text);
    }
}

static void people_read_local_times_with_the_zone() {
    CHECK_EQUAL(local_time(noon), "2026-11-29 13:00:00 CET");
    CHECK_EQUAL(local_time(1'782'900'000 * second), "2026-07-01 12:00:00 CEST");
    CHECK_EQUAL(local_time(0), "");
}

static void a_time_is_read_as_it_was_written() {
    CHECK_EQUAL(write_time(noon + 42), "2026-11-29T12:00:00.000042Z");
    CHECK_EQUAL(read_time(write_time(noon + 42)), noon + 42);
    CHECK_EQUAL(read_time(""), 0);
    CHECK_EQUAL(read_time("2026-11-29T12:00:00Z"), 0);
}

int main() {
    ::setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    ::tzset();
    return test::run("ctl_time", {TEST(a_span_goes_back_from_now),
                                  TEST(a_day_and_a_time_without_a_zone_are_local),
                                  TEST(a_zone_is_taken_as_it_stands), TEST(what_is_no_time_is_none),
                                  TEST(random_octets_are_a_time_or_none),
                                  TEST(people_read_local_times_with_the_zone),
                                  TEST(a_time_is_read_as_it_was_written)});
}
