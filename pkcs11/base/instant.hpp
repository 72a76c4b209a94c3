// Moments in text: xs:dateTime in UTC, as WS-Security's Timestamp and the evidence have them. Pure,
// thread-safe.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace demail {

using Instant = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

/// 2026-01-31T12:00:00.000Z
[[nodiscard]] std::string write_instant(Instant instant);
/// Reads the same with or without a fraction; only UTC with "Z", years 1970 to 9999, no leap
/// second.
[[nodiscard]] std::optional<Instant> read_instant(std::string_view text);

} // namespace demail
