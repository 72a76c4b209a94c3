// [directory]. Inside admin only.
#pragma once

#include "admin/configuration.hpp"
#include "daemon/toml_section.hpp"

namespace demail {

/// Behind the accounts, of which it names one.
void read_directory(FaultList &faults, const toml::table &table, Configuration &configuration);

} // namespace demail
