// demailctl domains: the De-Mail domains, from the relay and from the files that milter and Postfix
// read.
#pragma once

#include "admin/configuration.hpp"

#include <string>

namespace demail::ctl {

/// Exit code: 0 good, 1 list, index or provider bad, 2 the relay does not answer and the files are
/// good.
[[nodiscard]] int show_domains(const Configuration &configuration, bool json);
[[nodiscard]] int refresh_domains(const Configuration &configuration, bool json);
/// `verb`: "accept" or "forget".
[[nodiscard]] int change_domain(const Configuration &configuration, const std::string &verb,
                                const std::string &domain, bool json);

} // namespace demail::ctl
