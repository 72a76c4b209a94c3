// demailctl status: whether the parts run and what waits.
#pragma once

#include "admin/configuration.hpp"
#include "programs/ctl_relay.hpp"
#include "programs/ctl_verdict.hpp"

#include <nlohmann/json.hpp>
#include <vector>

namespace demail::ctl {

/// What the relay's own status says of accounts and domain list, each as a finding. Pure.
[[nodiscard]] std::vector<Finding> findings_of(const nlohmann::json &relay_status);

/// All that status looks at.
[[nodiscard]] std::vector<Finding> status_findings(const Configuration &configuration);

/// Exit code: 0 all good, 1 something is bad, 2 something cannot be told.
[[nodiscard]] int show_status(const Configuration &configuration, bool json);

} // namespace demail::ctl
