#include "base/instant.hpp"

#include <fmt/format.h>

namespace demail {

using namespace std::chrono;

std::string write_instant(Instant instant) {
    const auto day = floor<days>(instant);
    const year_month_day date{day};
    const hh_mm_ss time{instant - day};
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       time.hours().count(), time.minutes().count(), time.seconds().count(),
                       time.subseconds().count());
}

namespace {

// Takes `digits` digits off the front and then `mark`; -1 where something else stands there.
int take(std::string_view &text, std::size_t digits, std::string_view mark) {
    if (text.size() < digits + mark.size() || text.substr(digits, mark.size()) != mark) return -1;
    int number = 0;
    for (const char c : text.substr(0, digits)) {
        if (c < '0' || c > '9') return -1;
        number = number * 10 + (c - '0');
    }
    text.remove_prefix(digits + mark.size());
    return number;
}

} // namespace

std::optional<Instant> read_instant(std::string_view text) {
    const int year_number = take(text, 4, "-");
    const int month_number = take(text, 2, "-");
    const int day_number = take(text, 2, "T");
    const int hour = take(text, 2, ":");
    const int minute = take(text, 2, ":");
    const int second = take(text, 2, "");
    if (year_number < 1970 || month_number < 0 || day_number < 0 || hour < 0 || hour > 23 ||
        minute < 0 || minute > 59 || second < 0 || second > 59)
        return std::nullopt;
    int milliseconds_number = 0;
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        const std::size_t digits = text.find_first_not_of("0123456789");
        if (digits == 0 || digits == std::string_view::npos || digits > 9) return std::nullopt;
        for (std::size_t i = 0; i < 3; ++i)
            milliseconds_number = milliseconds_number * 10 + (i < digits ? text[i] - '0' : 0);
        text.remove_prefix(digits);
    }
    const year_month_day date{year{year_number}, month{static_cast<unsigned>(month_number)},
                              day{static_cast<unsigned>(day_number)}};
    if (text != "Z" || !date.ok()) return std::nullopt;
    return sys_days{date} + hours{hour} + minutes{minute} + seconds{second} +
           milliseconds{milliseconds_number};
}

} // namespace demail
