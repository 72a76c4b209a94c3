#include "programs/ctl_doctor.hpp"

#include "admin/configuration.hpp"
#include "filter/domain_list.hpp"
#include "programs/ctl_doctor_host.hpp"
#include "programs/ctl_doctor_postfix.hpp"
#include "programs/ctl_postfix_facts.hpp"
#include "programs/ctl_setup.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <variant>

namespace demail::ctl {

namespace {

using nlohmann::ordered_json;

Verdict worst_of(const Checks &checks) {
    Verdict worst = Verdict::good;
    for (const Check &one : checks)
        worst = worse(worst, one.verdict);
    return worst;
}

/// Postfix's other instances on this host (postmulti(1)), and what smtp(8) strips there.
std::vector<OtherInstance> other_instances(const std::string &own) {
    std::vector<OtherInstance> others;
    PostfixFacts first;
    try {
        first = ask_postfix("");
    } catch (const std::runtime_error &) {
        return others;
    }
    auto directories = list_elements(first.value("multi_instance_directories"));
    if (std::find(directories.begin(), directories.end(), own) == directories.end()) return others;
    directories.push_back(first.value("config_directory"));
    for (const std::string &one : directories) {
        if (one == own) continue;
        OtherInstance other{one, std::nullopt};
        try {
            const PostfixFacts facts = ask_postfix(one);
            other.strips_seals = std::all_of(
                std::begin(seal_checks), std::end(seal_checks),
                [&](const SealChecks &of) { return of.first_in(facts.value(of.parameter)); });
        } catch (const std::runtime_error &) { // said as not told
        }
        others.push_back(std::move(other));
    }
    return others;
}

PostfixView look_at_postfix(const Configuration &configuration, const std::string &directory) {
    PostfixView view;
    view.facts = ask_postfix(directory);
    view.directory = view.facts.value("config_directory");
    view.wishes = wishes_of(configuration, view.facts.value("queue_directory"));
    view.domains = filter::read_domain_list(configuration.domains).value_or(DomainSet());
    view.seal_lifetime = configuration.seal_lifetime;
    view.reinjection = !configuration.reinjection.empty();
    view.others = other_instances(view.directory);
    std::map<std::string, std::vector<std::string>> questions;
    for (const TableQuestion &one : tables_to_look_at(view)) {
        auto &keys = questions[one.element];
        keys.insert(keys.end(), one.keys.begin(), one.keys.end());
    }
    for (const auto &[element, keys] : questions)
        view.tables[element] = look_at_table(directory, element, keys);
    return view;
}

std::string said(Verdict verdict) {
    return verdict == Verdict::unknown ? "cannot be told" : std::string(word(verdict));
}

} // namespace

std::string doctor_text(Checks checks, const Screen &screen) {
    std::stable_sort(checks.begin(), checks.end(),
                     [](const Check &a, const Check &b) { return a.verdict > b.verdict; });
    std::string text;
    Table good({"GOOD", ""});
    std::size_t counts[3] = {};
    for (const Check &one : checks) {
        ++counts[static_cast<std::size_t>(one.verdict)];
        if (one.verdict == Verdict::good) {
            good.add({one.name, one.found});
            continue;
        }
        text += screen.paint(said(one.verdict), tone_of(one.verdict)) + ": " + visible(one.name) +
                (one.where.empty() ? "" : "  (" + visible(one.where) + ")") + "\n";
        text += "    " + visible(one.found) + "\n";
        if (!one.remedy.empty())
            text += screen.paint("    do: ", Tone::heading) + visible(one.remedy) + "\n";
        text += "\n";
    }
    text += good.str(screen);
    text += fmt::format("\n{} bad, {} cannot be told, {} good.\n",
                        counts[static_cast<std::size_t>(Verdict::bad)],
                        counts[static_cast<std::size_t>(Verdict::unknown)],
                        counts[static_cast<std::size_t>(Verdict::good)]);
    return text;
}

std::string doctor_json(const Checks &checks, const std::string &directory) {
    ordered_json list = ordered_json::array();
    for (const Check &one : checks)
        list.push_back({{"group", one.group},
                        {"name", one.name},
                        {"result", word(one.verdict)},
                        {"where", one.where},
                        {"found", one.found},
                        {"remedy", one.remedy}});
    return ordered_json{{"verdict", word(worst_of(checks))},
                        {"postfix", directory},
                        {"checks", std::move(list)}}
               .dump(2, ' ', true, ordered_json::error_handler_t::replace) +
           "\n";
}

int doctor(const std::string &configuration_file, std::string directory, bool json) {
    Checks checks;
    auto read = read_configuration(configuration_file);
    if (const auto *faults = std::get_if<std::vector<ConfigurationFault>>(&read)) {
        for (const ConfigurationFault &one : *faults) {
            const bool closed =
                ::geteuid() != 0 && one.sentence.find(std::strerror(EACCES)) != std::string::npos;
            checks.push_back({"configuration", "demail.toml",
                              closed ? Verdict::unknown : Verdict::bad, configuration_file,
                              one.str(),
                              closed ? "try it as root"
                                     : "mend it; nothing else was looked at, since it says where "
                                       "all is"});
        }
    } else {
        const auto &configuration = std::get<Configuration>(read);
        if (directory.empty()) directory = configuration.postfix_configuration;
        check_configuration_files(configuration, configuration_file, checks);
        try {
            const PostfixView view = look_at_postfix(configuration, directory);
            directory = view.directory;
            const Checks more = check_postfix(view);
            checks.insert(checks.end(), more.begin(), more.end());
        } catch (const std::runtime_error &error) {
            checks.push_back({"postfix", "postconf", Verdict::unknown, directory, error.what(),
                              "install Postfix, or name its configuration: postfix_configuration "
                              "in [relay] of demail.toml"});
        }
        check_daemons(configuration, checks);
        check_files_of_relay(configuration, checks);
        check_tokens(configuration, checks);
    }
    const std::string text =
        json ? doctor_json(checks, directory) : doctor_text(checks, Screen::of(STDOUT_FILENO));
    return print(text) ? exit_of(worst_of(checks)) : exit_unavailable;
}

} // namespace demail::ctl
