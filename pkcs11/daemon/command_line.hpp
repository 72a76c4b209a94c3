// The command line that all daemons share: --config, --check-config, --version, --help.
#pragma once

#include "daemon/fault.hpp"

#include <functional>
#include <optional>
#include <string>

namespace demail {

struct ProgramDescription {
    const char *name;
    const char *purpose;     ///< a sentence without its full stop
    std::string config_file; ///< where --config points to by itself
};

/// Parses the command line and calls `read` for the configuration. Returns an exit code when the
/// program should end (help, version, check, or faults, printed to standard error; 0, 64, 78), else
/// stores the file's name, opens the log under the program's name and logs the warnings.
[[nodiscard]] std::optional<int>
start_program(int argc, char **argv, const ProgramDescription &program, std::string &config_file,
              const std::function<ConfigurationReport(const std::string &file)> &read);

} // namespace demail
