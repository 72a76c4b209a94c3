// [provider.tls] of the configuration. Inside admin only.
#pragma once

#include "crypto/tls_limits.hpp"
#include "daemon/toml_section.hpp"

namespace demail {

/// Reads and checks the table, by OpenSSL.
[[nodiscard]] crypto::TlsLimits read_tls(FaultList &faults, const toml::table &table);

} // namespace demail
