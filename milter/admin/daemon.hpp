// What both daemons do alike: command line (--config, --check-config, --version, --help; exit 0,
// 64, 78), signals, sd_notify.
#pragma once

#include "admin/configuration.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace demail {

/// sysexits.h and contracts.md, "Programs".
enum Exit {
    exit_good = 0,
    exit_bad = 1,
    exit_unknown = 2,
    exit_usage = 64,
    exit_unavailable = 69,
    exit_again = 75,
    exit_configuration = 78
};

struct DaemonOptions {
    std::string config_file;
    std::shared_ptr<const Configuration> configuration;
};

/// Parses the command line and the configuration. Returns an exit code when the program should end
/// (help, version, check, faults already printed to standard error), else fills `options`, opens
/// the log under the program's name and logs the warnings. The files that the configuration names
/// are checked at every start.
[[nodiscard]] std::optional<int> start_daemon(int argc, char **argv, const char *program,
                                              const char *purpose, bool is_relay,
                                              DaemonOptions &options);

/// Blocks SIGHUP, SIGTERM, SIGINT in the calling thread and all that it starts later, and ignores
/// SIGPIPE. Call before any thread starts.
void block_signals();

struct SignalActions {
    std::function<void()> reload; ///< SIGHUP; exceptions are logged, the old configuration stays
};
/// Says ready, then waits: SIGHUP reloads, SIGTERM and SIGINT return. Feeds systemd's watchdog
/// while `healthy` says so.
void serve_signals(const SignalActions &actions, const std::function<bool()> &healthy = {});

/// sd_notify STATUS=…; silent without systemd.
void notify_status(const std::string &sentence);

} // namespace demail
