// A daemon's configuration file, from its path to the faults or the tables in it.
#pragma once

#include "daemon/fault.hpp"
#include "daemon/toml_section.hpp"

#include <toml++/toml.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace demail {

/// Takes what it knows out of the root table and says in the list what is wrong with it.
using TomlReader = std::function<void(FaultList &, const toml::table &)>;

/// In the file's order.
struct TomlFindings {
    std::vector<ConfigurationFault> faults, warnings;
};

/// `file` names the text in faults. A text above 4 MiB or that is no TOML 1.0 is a fault, and
/// `read` is not called. Thread-safe, as far as `read` is.
[[nodiscard]] TomlFindings parse_toml(std::string_view text, const std::string &file,
                                      const TomlReader &read);
/// The same of a file; one that cannot be read or is no regular file is a fault.
[[nodiscard]] TomlFindings read_toml(const std::string &file, const TomlReader &read);

/// The configuration that was read, with its warnings, or the faults where there are any.
template <typename Configuration>
std::variant<Configuration, std::vector<ConfigurationFault>> outcome_of(TomlFindings findings,
                                                                        Configuration read) {
    if (!findings.faults.empty()) return std::move(findings.faults);
    read.warnings = std::move(findings.warnings);
    return read;
}

} // namespace demail
