// Postfix's own commands (postconf, postmap) as the relay calls them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace demail::relay {

struct CommandResult {
    int exit_status = -1; ///< -1: could not be started, was killed, or took longer than 30 s
    std::string output;   ///< standard output, at most 1 MiB
    std::string errors;   ///< standard error, where it was asked for
};

enum class Errors {
    passed_on, ///< to our own standard error
    kept,      ///< in the result, at most 64 KiB
};

/// Runs argv[0] (looked for in /usr/sbin, /usr/bin, /sbin, /bin alone) without a shell, with an
/// empty environment and `input` as standard input. Thread-safe.
[[nodiscard]] CommandResult run_command(const std::vector<std::string> &argv,
                                        Errors errors = Errors::passed_on,
                                        std::string_view input = "");

} // namespace demail::relay
