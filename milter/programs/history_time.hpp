// The times in what relay and demailctl say of submissions. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <string>

namespace demail {

/// Microseconds since the Unix epoch as RFC 3339 has them, UTC: "2026-11-29T12:00:00.000042Z".
[[nodiscard]] std::string write_time(std::int64_t microseconds);

/// "2026/11" of the same.
[[nodiscard]] std::string year_and_month(std::int64_t microseconds);

} // namespace demail
