// The lists of ended providers, demail.toml(5): the shipped one and [policy] ended_providers.
#pragma once

#include "admin/configuration.hpp"
#include "message/ended_providers.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace demail {

struct EndedProvidersRead {
    EndedProviders providers;
    std::vector<ConfigurationFault> faults;   ///< with file, line and column
    std::vector<ConfigurationFault> warnings; ///< the shipped list is missing
};

/// Reads both; what the operator's file says of a domain wins. Thread-safe.
[[nodiscard]] EndedProvidersRead read_ended_providers(const Configuration &configuration);

/// Takes one file's text into `into.providers`; for tests and fuzzing too.
void take_ended_providers(std::string_view text, const std::string &file, EndedProvidersRead &into);

} // namespace demail
