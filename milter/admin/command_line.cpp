#include "admin/daemon.hpp"
#include "base/log.hpp"
#include "config.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <utility>
#include <variant>

namespace demail {
namespace {

void print(std::FILE *stream, const std::string &text) {
    std::fwrite(text.data(), 1, text.size(), stream);
    std::fflush(stream);
}

void print_all(const std::vector<ConfigurationFault> &list) {
    std::string text;
    for (const ConfigurationFault &one : list)
        text += one.str() + "\n";
    print(stderr, text);
}

} // namespace

std::optional<int> start_daemon(int argc, char **argv, const char *program, const char *purpose,
                                bool is_relay, DaemonOptions &options) {
    CLI::App app(purpose, program);
    std::string file = SYSCONFDIR "/demail/demail.toml";
    bool check = false;
    app.set_help_flag("--help", "Show this text and end");
    app.set_version_flag("--version", fmt::format("{} {}", program, PACKAGE_VERSION),
                         "Show the version and end");
    app.add_option("--config", file, "The configuration file")
        ->type_name("FILE")
        ->capture_default_str();
    app.add_flag("--check-config", check,
                 "Check the configuration and the files it names, and end");
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success &request) {
        return app.exit(request);
    } catch (const CLI::ParseError &error) {
        print(stderr,
              fmt::format("{}: {}\nRun {} --help for more.\n", program, error.what(), program));
        return exit_usage;
    }

    auto result = read_configuration(file);
    if (const auto *faults = std::get_if<std::vector<ConfigurationFault>>(&result)) {
        print_all(*faults);
        return exit_configuration;
    }
    auto configuration =
        std::make_shared<const Configuration>(std::get<Configuration>(std::move(result)));
    const auto faults = check_files(*configuration, file, is_relay);
    if (check || !faults.empty()) {
        print_all(configuration->warnings);
        print_all(faults);
        if (!faults.empty()) return exit_configuration;
        print(stdout, fmt::format("{}: good\n", file));
        return exit_good;
    }
    log::open(program);
    for (const ConfigurationFault &warning : configuration->warnings)
        log::say(log::Level::warning, warning.str());
    options.config_file = std::move(file);
    options.configuration = std::move(configuration);
    return std::nullopt;
}

} // namespace demail
