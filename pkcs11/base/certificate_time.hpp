// A certificate's days, as people and scripts read them. Thread-safe.
#pragma once

#include <openssl/asn1.h>

#include <ctime>
#include <string>

namespace demail {

/// Seconds since 1970; 0 where it is no time.
[[nodiscard]] std::time_t time_of(const ASN1_TIME *time);
/// 2026-11-24, of seconds since 1970 in UTC; empty for 0.
[[nodiscard]] std::string date_text(std::time_t time);

} // namespace demail
