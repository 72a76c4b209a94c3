#include "daemon/command_line.hpp"

#include "base/log.hpp"
#include "config.h"
#include "daemon/exit.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <utility>

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

std::optional<int>
start_program(int argc, char **argv, const ProgramDescription &program, std::string &config_file,
              const std::function<ConfigurationReport(const std::string &file)> &read) {
    CLI::App app(program.purpose, program.name);
    std::string file = program.config_file;
    bool check = false;
    app.set_help_flag("--help", "Show this text and end");
    app.set_version_flag("--version", fmt::format("{} {}", program.name, PACKAGE_VERSION),
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
        print(stderr, fmt::format("{}: {}\nRun {} --help for more.\n", program.name, error.what(),
                                  program.name));
        return exit_usage;
    }

    const ConfigurationReport report = read(file);
    if (check || !report.faults.empty()) {
        print_all(report.warnings);
        print_all(report.faults);
        print_all(report.passing);
        if (!report.faults.empty() || !report.passing.empty()) return exit_configuration;
        print(stdout, fmt::format("{}: good\n", file));
        return exit_good;
    }
    log::open(program.name);
    for (const ConfigurationFault &warning : report.warnings)
        log::say(log::Level::warning, warning.str());
    config_file = std::move(file);
    return std::nullopt;
}

} // namespace demail
