#include "admin/daemon.hpp"

#include "admin/ended_providers_file.hpp"
#include "admin/senders.hpp"
#include "daemon/command_line.hpp"

#include <utility>
#include <variant>

namespace demail {

std::optional<int> start_daemon(int argc, char **argv, const char *program, const char *purpose,
                                bool is_relay, DaemonOptions &options) {
    const auto read = [&](const std::string &file) -> ConfigurationReport {
        auto result = read_configuration(file);
        if (auto *faults = std::get_if<std::vector<ConfigurationFault>>(&result))
            return {std::move(*faults), {}};
        options.configuration =
            std::make_shared<const Configuration>(std::get<Configuration>(std::move(result)));
        auto warnings = options.configuration->warnings;
        for (ConfigurationFault &one : read_ended_providers(*options.configuration).warnings)
            warnings.push_back(std::move(one));
        return {check_files(*options.configuration, file, is_relay), std::move(warnings),
                check_senders_files(*options.configuration)};
    };
    return start_program(argc, argv, {program, purpose, SYSCONFDIR "/demail/demail.toml"},
                         options.config_file, read);
}

} // namespace demail
