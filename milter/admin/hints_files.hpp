// The two files of [hints], demail.toml(5). Nobody but its owner may be able to write one.
// Thread-safe.
#pragma once

#include "admin/configuration.hpp"
#include "message/domain_lines.hpp"

#include <string>
#include <variant>
#include <vector>

namespace demail {

/// The domains that DNS is asked for, or a sentence.
[[nodiscard]] std::variant<DomainNames, std::string>
read_watched_domains(const HintsConfiguration &hints);

/// Those of them that DNS names as De-Mail, as demail-directory has written them, or a sentence.
[[nodiscard]] std::variant<DomainNames, std::string>
read_hinted_domains(const HintsConfiguration &hints);

/// What is wrong with the watched file where there is [hints]; none: nothing.
[[nodiscard]] std::vector<ConfigurationFault>
check_watched_domains(const Configuration &configuration);

} // namespace demail
