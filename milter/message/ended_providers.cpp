#include "message/ended_providers.hpp"

#include <array>
#include <ctime>
#include <optional>

namespace demail {

namespace {

struct Date {
    int year = 0, month = 0, day = 0; ///< day 0: the month alone
};

std::optional<int> number(std::string_view digits) {
    int value = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + (c - '0');
    }
    return value;
}

std::optional<Date> parse(std::string_view text) {
    const bool whole = text.size() == 10;
    if ((!whole && text.size() != 7) || text[4] != '-' || (whole && text[7] != '-'))
        return std::nullopt;
    const auto year = number(text.substr(0, 4)), month = number(text.substr(5, 2));
    const auto day = whole ? number(text.substr(8)) : std::optional(0);
    if (!year || !month || !day || *month < 1 || *month > 12 || (whole && *day < 1))
        return std::nullopt;
    const bool leap = *year % 4 == 0 && (*year % 100 != 0 || *year % 400 == 0);
    const std::array days{31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (*day > days.at(static_cast<std::size_t>(*month) - 1)) return std::nullopt;
    return Date{*year, *month, *day};
}

std::string when(const EndedProvider &provider) {
    constexpr std::array months{"January",   "February", "March",    "April",
                                "May",       "June",     "July",     "August",
                                "September", "October",  "November", "December"};
    const auto date = parse(provider.date);
    if (!date) return "in " + provider.date;
    const std::string month = months.at(static_cast<std::size_t>(date->month) - 1);
    const std::string year = std::to_string(date->year);
    const std::string said = date->day == 0
                                 ? "in " + month + " " + year
                                 : "on " + std::to_string(date->day) + " " + month + " " + year;
    return provider.unconfirmed.empty() ? said : said + ", as far as is known";
}

bool over(const EndedProvider &provider, std::string_view day) {
    return day.substr(0, provider.date.size()) > provider.date;
}

} // namespace

std::string day_of(std::int64_t unix_time) {
    const auto seconds = static_cast<std::time_t>(unix_time);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts)};
}

bool is_day_or_month(std::string_view text) {
    return parse(text).has_value();
}

const EndedProvider *EndedProviders::find(std::string_view domain, std::string_view day) const {
    bool exact = true;
    while (!domain.empty()) {
        const auto place = domains_.find(domain);
        if (place != domains_.end() && (exact || place->second.below) &&
            over(*place->second.provider, day))
            return place->second.provider.get();
        const std::size_t dot = domain.find('.');
        domain.remove_prefix(dot == std::string_view::npos ? domain.size() : dot + 1);
        exact = false;
    }
    return nullptr;
}

Reply refusal(const EndedProvider &provider) {
    return {550, "5.1.2",
            "The De-Mail provider of this domain, " + provider.name + ", ended its service " +
                when(provider) + "; write a letter or ask the recipient for another address"};
}

} // namespace demail
