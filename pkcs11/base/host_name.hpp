// What this host calls itself. Thread-safe.
#pragma once

#include <string>

namespace demail {

/// gethostname(2); "" where there is none, or one of more than 255 octets.
[[nodiscard]] std::string host_name();

} // namespace demail
