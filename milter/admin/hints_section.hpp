// [hints]. Inside admin only.
#pragma once

#include "admin/configuration.hpp"
#include "daemon/toml_section.hpp"

namespace demail {

void read_hints(FaultList &faults, const toml::table &table, Configuration &configuration);

} // namespace demail
