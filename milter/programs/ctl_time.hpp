// Times as a person writes and reads them at demailctl: local, with their zone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace demail::ctl {

/// Microseconds since the Unix epoch, as the journal has them.
using Microseconds = std::int64_t;

/// What `--since` may be: a span back from `now` ("90s", "15m", "2h", "3d", "1w"), a day
/// ("2026-11-29"), or a day and a time ("2026-11-29T14:30", seconds and "Z" or "+01:00" may follow;
/// without a zone: local). nullopt for anything else.
[[nodiscard]] std::optional<Microseconds> read_since(std::string_view text, Microseconds now);

/// "2026-11-29 15:30:00 CET"; "" for 0.
[[nodiscard]] std::string local_time(Microseconds time);

/// What write_time() wrote; 0 where it is none.
[[nodiscard]] Microseconds read_time(std::string_view text);

} // namespace demail::ctl
