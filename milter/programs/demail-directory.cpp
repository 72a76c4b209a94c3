// demail-directory: asks the directory who may send De-Mail, and DNS which domains are De-Mail,
// once, and writes both down.
#include "admin/configuration.hpp"
#include "admin/hints_files.hpp"
#include "base/log.hpp"
#include "daemon/command_line.hpp"
#include "daemon/exit.hpp"
#include "directory/entry_rules.hpp"
#include "directory/hints.hpp"
#include "directory/ldap_search.hpp"
#include "directory/output_file.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace {

using namespace demail;

/// Nothing was written; the file grows old.
int failed(const DirectoryConfiguration &wish, const std::string &sentence) {
    log::event(log::Level::error, "directory", {{"account", wish.account}, {"reason", sentence}});
    return exit_again;
}

int fetch_senders(const DirectoryConfiguration &wish, const AccountConfiguration &account) {
    directory::EntryRules rules({account.name, account.domains, wish.defaults, wish.allow});
    const directory::Server server{wish.url, wish.ca_file, wish.bind_dn, wish.password_file,
                                   wish.timeout};
    directory::Search search;
    search.base = wish.base;
    search.filter = wish.filter;
    search.from = wish.from;
    search.as = wish.as;
    search.login = wish.login;
    search.defaults = wish.defaults_attribute;
    search.allow = wish.allow_attribute;
    const std::string fault = directory::search(
        server, search, [&](const directory::Entry &entry) { return rules.add(entry); });
    if (!fault.empty()) return failed(wish, fault);
    const auto written =
        directory::write_output(account.senders_file, "the file of senders", rules.text());
    if (!written.fault.empty()) return failed(wish, written.fault);
    if (written.changed)
        log::event(rules.size() == 0 ? log::Level::warning : log::Level::notice, "directory",
                   {{"account", wish.account},
                    {"entries", std::to_string(rules.size())},
                    {"file", account.senders_file}});
    return exit_good;
}

/// Far seldomer than the directory: what DNS says is a hint, and changes by the year.
int fetch_hints(const HintsConfiguration &wish, const std::string &configuration_file) {
    const auto now = static_cast<std::int64_t>(std::time(nullptr));
    if (!directory::hints_due(wish, configuration_file, now)) return exit_good;
    const std::string fault = directory::fetch_hints(wish, now);
    if (fault.empty()) return exit_good;
    log::event(log::Level::error, "hints", {{"reason", fault}});
    return exit_again;
}

int run(int argc, char **argv) {
    std::optional<Configuration> configuration;
    std::string file;
    const auto read = [&](const std::string &name) -> ConfigurationReport {
        auto result = read_configuration(name);
        if (auto *faults = std::get_if<std::vector<ConfigurationFault>>(&result))
            return {std::move(*faults), {}};
        configuration = std::get<Configuration>(std::move(result));
        if (!configuration->directory && !configuration->hints)
            return {{{name, 0, 0,
                      "there is neither a [directory] nor a [hints] table: nothing to be asked."}},
                    {}};
        return {check_directory_files(*configuration, name), configuration->warnings,
                check_watched_domains(*configuration)};
    };
    if (const auto code =
            start_program(argc, argv,
                          {"demail-directory",
                           "Asks a directory who may send De-Mail, and DNS which domains have it",
                           SYSCONFDIR "/demail/demail.toml"},
                          file, read))
        return *code;
    int code = exit_good;
    if (const auto &wish = configuration->directory) {
        const auto account = std::find_if(
            configuration->accounts.begin(), configuration->accounts.end(),
            [&](const AccountConfiguration &one) { return one.name == wish->account; });
        code = fetch_senders(*wish, *account); // the configuration's check has found it
    }
    if (const auto &wish = configuration->hints)
        if (const int hints = fetch_hints(*wish, file); hints != exit_good) code = hints;
    return code;
}

} // namespace

int main(int argc, char **argv) {
    directory::take_no_ldap_conf();
    try {
        return run(argc, argv);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "demail-directory: %s\n", error.what());
        return demail::exit_again;
    }
}
