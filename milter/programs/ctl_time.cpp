#include "programs/ctl_time.hpp"

#include <array>
#include <charconv>
#include <ctime>

namespace demail::ctl {

namespace {

constexpr Microseconds second = 1'000'000;

/// Takes what it reads off the front of a text.
class Reader {
  public:
    explicit Reader(std::string_view text) : rest_(text) {}

    std::optional<int> digits(std::size_t count) {
        if (rest_.size() < count) return std::nullopt;
        int value = 0;
        for (const char c : rest_.substr(0, count)) {
            if (c < '0' || c > '9') return std::nullopt;
            value = value * 10 + (c - '0');
        }
        rest_.remove_prefix(count);
        return value;
    }
    bool one(char c) {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    [[nodiscard]] bool done() const noexcept { return rest_.empty(); }

  private:
    std::string_view rest_;
};

std::optional<Microseconds> span(std::string_view text) {
    long long count = 0;
    const char *end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, count);
    if (error != std::errc() || stop + 1 != end || count < 0 || count > 1'000'000)
        return std::nullopt;
    switch (*stop) {
    case 's':
        return count * second;
    case 'm':
        return count * 60 * second;
    case 'h':
        return count * 3600 * second;
    case 'd':
        return count * 86400 * second;
    case 'w':
        return count * 7 * 86400 * second;
    default:
        return std::nullopt;
    }
}

/// Seconds east of Greenwich behind a time; nullopt with `bad`: none is given.
std::optional<int> zone(Reader &text, bool &bad) {
    if (text.one('Z')) return 0;
    const bool east = text.one('+');
    if (!east && !text.one('-')) return std::nullopt;
    const auto hours = text.digits(2);
    text.one(':');
    const auto minutes = text.digits(2);
    bad = !hours || !minutes || *hours > 14 || *minutes > 59;
    if (bad) return std::nullopt;
    return (east ? 1 : -1) * (*hours * 3600 + *minutes * 60);
}

bool same_day(const std::tm &a, const std::tm &b) {
    return a.tm_year == b.tm_year && a.tm_mon == b.tm_mon && a.tm_mday == b.tm_mday;
}

std::optional<Microseconds> instant(std::string_view text) {
    Reader reader(text);
    const auto year = reader.digits(4);
    if (!year || !reader.one('-')) return std::nullopt;
    const auto month = reader.digits(2);
    if (!month || !reader.one('-')) return std::nullopt;
    const auto day = reader.digits(2);
    if (!day || *year < 1970 || *month < 1 || *month > 12 || *day < 1) return std::nullopt;
    std::tm parts{};
    parts.tm_year = *year - 1900;
    parts.tm_mon = *month - 1;
    parts.tm_mday = *day;
    parts.tm_isdst = -1;
    std::optional<int> east;
    if (!reader.done()) {
        if (!reader.one('T') && !reader.one(' ')) return std::nullopt;
        const auto hour = reader.digits(2);
        if (!hour || !reader.one(':')) return std::nullopt;
        const auto minute = reader.digits(2);
        const auto seconds = reader.one(':') ? reader.digits(2) : std::optional(0);
        if (!minute || !seconds || *hour > 23 || *minute > 59 || *seconds > 60) return std::nullopt;
        parts.tm_hour = *hour;
        parts.tm_min = *minute;
        parts.tm_sec = *seconds;
        bool bad = false;
        east = zone(reader, bad);
        if (bad || !reader.done()) return std::nullopt;
    }
    std::tm made = parts;
    const std::time_t time = east ? ::timegm(&made) : std::mktime(&made);
    if (!same_day(made, parts)) return std::nullopt; // the 31st of June
    return (static_cast<Microseconds>(time) - east.value_or(0)) * second;
}

} // namespace

std::optional<Microseconds> read_since(std::string_view text, Microseconds now) {
    if (const auto back = span(text)) return now - *back;
    return instant(text);
}

std::string local_time(Microseconds time) {
    if (time == 0) return "";
    const auto seconds = static_cast<std::time_t>(time / second);
    std::tm parts{};
    std::array<char, 64> text{};
    if (::localtime_r(&seconds, &parts) == nullptr) return std::to_string(seconds);
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S %Z", &parts)};
}

Microseconds read_time(std::string_view text) {
    const std::size_t dot = text.find('.');
    if (dot == std::string_view::npos || text.size() != dot + 8 || text.back() != 'Z') return 0;
    Reader fraction(text.substr(dot + 1));
    const auto micro = fraction.digits(6);
    const auto whole = instant(std::string(text.substr(0, dot)) + "Z");
    return whole && micro ? *whole + *micro : 0;
}

} // namespace demail::ctl
