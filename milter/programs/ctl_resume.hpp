// demailctl resume: an account that was suspended after a refused login is used again.
#pragma once

#include "admin/configuration.hpp"

#include <string>

namespace demail::ctl {

/// Exit code: 0, 1 where the relay refuses, 64 where this can be no account's name, 69 where the
/// relay does not answer.
[[nodiscard]] int resume(const Configuration &configuration, const std::string &account, bool json);

} // namespace demail::ctl
