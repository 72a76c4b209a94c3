#include "programs/history_time.hpp"

#include <fmt/format.h>

#include <ctime>

namespace demail {

namespace {

constexpr std::int64_t second = 1'000'000;

std::tm parts_of(std::int64_t microseconds) {
    const auto seconds = static_cast<std::time_t>(microseconds / second);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    return parts;
}

} // namespace

std::string write_time(std::int64_t microseconds) {
    const std::tm parts = parts_of(microseconds);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", parts.tm_year + 1900,
                       parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                       microseconds % second);
}

std::string year_and_month(std::int64_t microseconds) {
    const std::tm parts = parts_of(microseconds);
    return fmt::format("{:04}/{:02}", parts.tm_year + 1900, parts.tm_mon + 1);
}

} // namespace demail
