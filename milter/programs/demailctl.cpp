// demailctl: what an administrator asks of the gateway, and tells it.
#include "admin/configuration.hpp"
#include "admin/ended_providers_file.hpp"
#include "admin/senders.hpp"
#include "base/log.hpp"
#include "config.h"
#include "daemon/exit.hpp"
#include "programs/ctl_block.hpp"
#include "programs/ctl_card_commands.hpp"
#include "programs/ctl_cert.hpp"
#include "programs/ctl_doctor.hpp"
#include "programs/ctl_domains.hpp"
#include "programs/ctl_evidence.hpp"
#include "programs/ctl_history.hpp"
#include "programs/ctl_resume.hpp"
#include "programs/ctl_screen.hpp"
#include "programs/ctl_selftest.hpp"
#include "programs/ctl_setup.hpp"
#include "programs/ctl_status.hpp"
#include "programs/ctl_test_address.hpp"

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>

namespace {

using namespace demail;

/// Runs once the configuration is read.
using Action = std::function<int(const Configuration &)>;

struct Words {
    std::string config_file = SYSCONFDIR "/demail/demail.toml";
    bool check = false, json = false, refresh = false, print = false, apply = false, tables = false;
    std::string domain, account, postfix_directory;
    ctl::AddressQuestion address;
    ctl::HistoryWords history;
    ctl::EvidenceWords evidence;
    ctl::BlockWords block;
    Action action;
    ctl::CardWords card;
    std::function<int()> plain_action; ///< needs no demail.toml, or reads it itself
};

void say(const std::string &sentence) {
    std::fputs((ctl::visible(sentence) + "\n").c_str(), stderr);
}

int usage(const std::string &sentence) {
    say("demailctl: " + sentence);
    say("Run demailctl --help for more.");
    return exit_usage;
}

void add_json(CLI::App &command, Words &words) {
    command.add_flag("--json", words.json, "Print JSON");
}

void add_domains(CLI::App &app, Words &words) {
    CLI::App &command = *app.add_subcommand("domains", "Show the De-Mail domains, or change them");
    add_json(command, words);
    command.add_flag("--refresh", words.refresh, "Ask the providers now");
    command.require_subcommand(0, 1);
    command.callback([&] {
        if (words.action) return;
        words.action = [&](const Configuration &configuration) {
            return words.refresh ? ctl::refresh_domains(configuration, words.json)
                                 : ctl::show_domains(configuration, words.json);
        };
    });
    command.add_subcommand("refresh", "Ask the providers now")->callback([&] {
        words.refresh = true;
    });
    const std::pair<const char *, const char *> verbs[] = {
        {"accept", "Take a domain that a provider names and nothing confirms"},
        {"forget", "Make a domain whose provider has ended an ordinary one again"}};
    for (const auto &one : verbs) {
        const std::string verb = one.first;
        CLI::App &change = *command.add_subcommand(verb, one.second);
        change.add_option("DOMAIN", words.domain)->required();
        change.callback([&words, verb] {
            words.action = [&words, verb](const Configuration &configuration) {
                return ctl::change_domain(configuration, verb, words.domain, words.json);
            };
        });
    }
}

void add_block(CLI::App &app, Words &words) {
    const auto add = [&](const char *name, const char *text) -> CLI::App & {
        CLI::App &command = *app.add_subcommand(name, text);
        add_json(command, words);
        command.add_option("ADDRESS", words.block.address,
                           "A De-Mail address, or an envelope sender");
        command.add_option("--account", words.block.account, "All senders of an account");
        command.add_flag("--all", words.block.all, "Everybody");
        command.add_option("--reason", words.block.reason, "For the administrators alone");
        return command;
    };
    add("block", "Let a sender send no De-Mail for now; without a name: list who is blocked")
        .callback([&] {
            words.action = [&](const Configuration &configuration) {
                return words.block.any() ? ctl::block(configuration, words.block, words.json)
                                         : ctl::list_blocks(configuration, words.json);
            };
        });
    add("unblock", "Let a blocked sender send again").callback([&] {
        words.action = [&](const Configuration &configuration) {
            return ctl::unblock(configuration, words.block, words.json);
        };
    });
}

void add_status(CLI::App &app, Words &words) {
    CLI::App &command = *app.add_subcommand("status", "Tell whether all parts work");
    add_json(command, words);
    command.callback([&] {
        words.action = [&](const Configuration &configuration) {
            return ctl::show_status(configuration, words.json);
        };
    });
}

void add_resume(CLI::App &app, Words &words) {
    CLI::App &command = *app.add_subcommand(
        "resume", "Use an account again that was suspended after a refused login");
    add_json(command, words);
    command.add_option("ACCOUNT", words.account)->required();
    command.callback([&] {
        words.action = [&](const Configuration &configuration) {
            return ctl::resume(configuration, words.account, words.json);
        };
    });
}

void add_setup(CLI::App &app, Words &words) {
    CLI::App &command = *app.add_subcommand("setup", "Show or write the lines that Postfix needs");
    add_json(command, words);
    CLI::Option_group &what = *command.add_option_group("what");
    what.add_flag("--print", words.print, "Print them; nothing is changed");
    what.add_flag("--apply", words.apply, "Write them; the files as they were are kept beside");
    what.require_option(1);
    command
        .add_option("--postfix-config", words.postfix_directory,
                    "Postfix's configuration, where it is not the one that demail.toml names")
        ->type_name("DIR");
    command.callback([&] {
        words.action = [&](const Configuration &configuration) {
            return (words.apply ? ctl::apply_setup : ctl::print_setup)(
                configuration, words.postfix_directory, words.json);
        };
    });
}

void add_selftest(CLI::App &app, Words &words) {
    CLI::App &command = *app.add_subcommand("selftest", "Try whether the gateway holds");
    command.require_subcommand(1);
    CLI::App &leak = *command.add_subcommand(
        "leak",
        "Ask Postfix's tables where spellings of a De-Mail address would go, and send it probes");
    add_json(leak, words);
    leak.add_flag("--tables", words.tables, "Ask the tables alone; nothing is sent");
    leak.add_option("--postfix-config", words.postfix_directory,
                    "Postfix's configuration, where it is not the one that demail.toml names")
        ->type_name("DIR");
    leak.callback([&] {
        words.action = [&](const Configuration &configuration) {
            return ctl::selftest_leak(configuration, words.postfix_directory, words.tables,
                                      words.json);
        };
    });
}

void add_doctor(CLI::App &app, Words &words) {
    CLI::App &command = *app.add_subcommand(
        "doctor",
        "Name what is open in configuration, Postfix, files and daemons; changes nothing");
    add_json(command, words);
    command
        .add_option("--postfix-config", words.postfix_directory,
                    "Postfix's configuration, where it is not the one that demail.toml names")
        ->type_name("DIR");
    command.callback([&] {
        words.plain_action = [&] {
            return ctl::doctor(words.config_file, words.postfix_directory, words.json);
        };
    });
}

void add_test_address(CLI::App &app, Words &words) {
    CLI::App &command = *app.add_subcommand(
        "test-address", "Tell what the milter would say of a recipient, and which rule decides");
    ctl::AddressQuestion &address = words.address;
    add_json(command, words);
    command.add_option("ADDRESS", address.recipient, "The recipient")->required();
    command.add_option("--from", address.from, "The envelope sender; \"\" for none")
        ->type_name("ADDRESS")
        ->required();
    auto *login = command.add_option("--login", address.login, "The SASL user")->type_name("USER");
    auto *client =
        command.add_option("--client", address.client, "The client's IP address")->type_name("IP");
    command.add_flag("--local", address.local, "Handed in by sendmail(1)")
        ->excludes(login)
        ->excludes(client);
    command.callback([&] {
        words.action = [&](const Configuration &configuration) {
            return ctl::test_address(words.address, configuration, words.json);
        };
    });
}

void add_list(CLI::App &app, Words &words) {
    CLI::App &command = *app.add_subcommand("list", "List submissions, the latest first");
    add_json(command, words);
    command.add_option("--state", words.history.state, "Only those in this state");
    command
        .add_option("--since", words.history.since,
                    "Only those first tried since then: 2h, 3d, 2026-11-29, 2026-11-29T14:30")
        ->type_name("TIME");
    command.add_option("--limit", words.history.limit, "How many at most")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    command.callback([&] {
        words.action = [&](const Configuration &configuration) {
            return ctl::list_submissions(configuration, words.history, words.json);
        };
    });
}

void add_show_and_trace(CLI::App &app, Words &words) {
    CLI::App &show = *app.add_subcommand("show", "Tell what is known of one submission");
    show.add_option("ID", words.history.id,
                    "A private-id, the beginning of one, or the provider's message id")
        ->required();
    CLI::App &trace =
        *app.add_subcommand("trace", "Tell the whole story of a message that was handed over");
    trace
        .add_option("ID", words.history.id,
                    "Postfix's queue id, a Message-ID, the provider's message id, or a private-id")
        ->required();
    add_json(show, words);
    add_json(trace, words);
    show.callback([&] {
        words.action = [&](const Configuration &configuration) {
            return ctl::show_submission(configuration, words.history, words.json);
        };
    });
    trace.callback([&] {
        words.action = [&](const Configuration &configuration) {
            return ctl::trace_submissions(configuration, words.history, words.json);
        };
    });
}

void add_evidence(CLI::App &app, Words &words) {
    CLI::App &command = *app.add_subcommand("evidence", "Look after what proves the submissions");
    command.require_subcommand(1);
    using Run = int (*)(const Configuration &, const ctl::EvidenceWords &, bool);
    const auto add = [&](const char *name, const char *text, Run run) -> CLI::App & {
        CLI::App &verb = *command.add_subcommand(name, text);
        add_json(verb, words);
        verb.callback([&words, run] {
            words.action = [&words, run](const Configuration &configuration) {
                return run(configuration, words.evidence, words.json);
            };
        });
        return verb;
    };
    CLI::App &export_one =
        add("export", "Copy the files of one submission; it is logged", ctl::export_evidence);
    export_one.add_option("ID", words.evidence.id, "A private-id, or the beginning of one")
        ->required();
    export_one.add_option("DIRECTORY", words.evidence.directory, "A directory to be made")
        ->required();
    CLI::App &purge = add("purge", "Remove the content of what was kept long enough; it is logged",
                          ctl::purge_evidence);
    purge.add_flag("--dry-run", words.evidence.dry_run, "Show what would go; nothing is changed");
    purge.add_option("--account", words.evidence.account, "Only of this account");
    add("rebuild", "Tell the journal what it does not know, while no relay runs",
        [](const Configuration &configuration, const ctl::EvidenceWords &, bool json) {
            return ctl::rebuild_journal(configuration, json);
        });
}

void add_cert(CLI::App &app, Words &words) {
    CLI::App &command = *app.add_subcommand("cert", "Look at the certificates of the tokens");
    command.require_subcommand(1);
    CLI::App &list = *command.add_subcommand(
        "list", "List them, with the one that is chosen and the reason; needs no PIN");
    add_json(list, words);
    list.callback([&] {
        words.action = [&](const Configuration &configuration) {
            return ctl::list_certificates(configuration, words.json);
        };
    });
}

int check_configuration(const Words &words, const Configuration &configuration) {
    auto faults = check_files(configuration, words.config_file, true);
    for (ConfigurationFault &one : check_senders_files(configuration))
        faults.push_back(std::move(one));
    for (const ConfigurationFault &one : configuration.warnings)
        say(one.str());
    for (const ConfigurationFault &one : read_ended_providers(configuration).warnings)
        say(one.str());
    for (const ConfigurationFault &one : faults)
        say(one.str());
    if (!faults.empty()) return exit_configuration;
    return ctl::print(ctl::visible(words.config_file) + ": good\n") ? exit_good : exit_unavailable;
}

int run(int argc, char **argv) {
    Words words;
    CLI::App app("Looks after the De-Mail gateway", "demailctl");
    app.set_help_flag("--help", "Show this text and end");
    app.set_version_flag("--version", std::string("demailctl ") + PACKAGE_VERSION,
                         "Show the version and end");
    app.add_option("--config", words.config_file, "The configuration file")
        ->type_name("FILE")
        ->capture_default_str();
    app.add_flag("--check-config", words.check,
                 "Check the configuration and the files it names, and end");
    app.require_subcommand(0, 1);
    app.fallthrough(); // --config may stand behind the command too
    for (const auto add :
         {add_block, add_cert, add_doctor, add_domains, add_evidence, add_list, add_show_and_trace,
          add_status, add_resume, add_selftest, add_setup, add_test_address})
        add(app, words);
    ctl::add_card_commands(app, words.card, words.plain_action);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success &request) {
        return app.exit(request);
    } catch (const CLI::ParseError &error) {
        return usage(error.what());
    }
    if (words.plain_action && !words.check) return words.plain_action();
    if (!words.action && !words.check) return usage("a command is missing");
    auto read = read_configuration(words.config_file);
    if (const auto *faults = std::get_if<std::vector<ConfigurationFault>>(&read)) {
        for (const ConfigurationFault &one : *faults)
            say(one.str());
        return exit_configuration;
    }
    const auto &configuration = std::get<Configuration>(read);
    return words.check ? check_configuration(words, configuration) : words.action(configuration);
}

} // namespace

int main(int argc, char **argv) {
    demail::log::silence();
    std::signal(SIGPIPE, SIG_IGN);
    try {
        return run(argc, argv);
    } catch (const std::exception &error) {
        demail::ctl::complain(error.what());
        return demail::exit_unavailable;
    }
}
