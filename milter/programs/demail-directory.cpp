// demail-directory: asks the directory who may send De-Mail, once, and writes the file of senders.
#include "admin/configuration.hpp"
#include "base/log.hpp"
#include "daemon/command_line.hpp"
#include "daemon/exit.hpp"
#include "directory/entry_rules.hpp"
#include "directory/ldap_search.hpp"
#include "directory/senders_output.hpp"

#include <algorithm>
#include <cstdio>
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

int fetch(const DirectoryConfiguration &wish, const AccountConfiguration &account) {
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
    const auto written = directory::write_senders(account.senders_file, rules.text());
    if (!written.fault.empty()) return failed(wish, written.fault);
    if (written.changed)
        log::event(rules.size() == 0 ? log::Level::warning : log::Level::notice, "directory",
                   {{"account", wish.account},
                    {"entries", std::to_string(rules.size())},
                    {"file", account.senders_file}});
    return exit_good;
}

int run(int argc, char **argv) {
    std::optional<Configuration> configuration;
    std::string file;
    const auto read = [&](const std::string &name) -> ConfigurationReport {
        auto result = read_configuration(name);
        if (auto *faults = std::get_if<std::vector<ConfigurationFault>>(&result))
            return {std::move(*faults), {}};
        configuration = std::get<Configuration>(std::move(result));
        if (!configuration->directory)
            return {{{name, 0, 0, "there is no [directory] table: nothing to be asked."}}, {}};
        return {check_directory_files(*configuration, name), configuration->warnings};
    };
    if (const auto code = start_program(
            argc, argv,
            {"demail-directory", "Asks a directory who may send De-Mail, and writes it down",
             SYSCONFDIR "/demail/demail.toml"},
            file, read))
        return *code;
    const DirectoryConfiguration &wish = *configuration->directory;
    const auto account =
        std::find_if(configuration->accounts.begin(), configuration->accounts.end(),
                     [&](const AccountConfiguration &one) { return one.name == wish.account; });
    return fetch(wish, *account); // the configuration's check has found it
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
