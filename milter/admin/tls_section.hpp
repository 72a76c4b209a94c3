// [provider.tls] of the configuration. Inside admin only.
#pragma once

#include "admin/toml_section.hpp"
#include "crypto/tls_limits.hpp"

namespace demail {

/// Reads and checks the table, by OpenSSL.
[[nodiscard]] crypto::TlsLimits read_tls(FaultList &faults, const toml::table &table);

} // namespace demail
