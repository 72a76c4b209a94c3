// How demail-milter and demail-relay start.
#pragma once

#include "admin/configuration.hpp"
#include "daemon/exit.hpp"
#include "daemon/signals.hpp"

#include <memory>
#include <optional>
#include <string>

namespace demail {

struct DaemonOptions {
    std::string config_file;
    std::shared_ptr<const Configuration> configuration;
};

/// The command line and the configuration (daemon/command_line.hpp). Returns an exit code when the
/// program should end, else fills `options`. The files that the configuration names are checked at
/// every start.
[[nodiscard]] std::optional<int> start_daemon(int argc, char **argv, const char *program,
                                              const char *purpose, bool is_relay,
                                              DaemonOptions &options);

} // namespace demail
