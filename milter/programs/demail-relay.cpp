// demail-relay: takes sealed messages from Postfix over LMTP and submits them to the De-Mail
// provider.
#include "admin/daemon.hpp"
#include "base/host_name.hpp"
#include "base/listen_unix.hpp"
#include "base/log.hpp"
#include "crypto/token_thread.hpp"
#include "daemon/control.hpp"
#include "lmtp/server.hpp"
#include "programs/relay_control.hpp"
#include "relay/domain_keeper.hpp"
#include "relay/given_up.hpp"
#include "relay/service.hpp"
#include "relay/settings.hpp"
#include "relay/submitter.hpp"

#include <grp.h>
#include <malloc.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

using namespace demail;

/// What a token that signs at this moment gets when the relay is to end.
constexpr std::chrono::milliseconds token_grace{500};

journal::Time now() {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

uid_t uid_of(const std::string &user) {
    const passwd *entry = ::getpwnam(user.c_str());
    if (entry == nullptr)
        throw std::runtime_error("[relay] lmtp_peer: there is no user \"" + user + "\"");
    return entry->pw_uid;
}

std::string relay_name(const Configuration &configuration) {
    if (!configuration.relay_name.empty()) return configuration.relay_name;
    std::string name = host_name();
    if (name.empty())
        throw std::runtime_error("this host has no name; give the relay one: [relay] name");
    return name;
}

void settle_interrupted(journal::Journal &journal) {
    try {
        if (const int interrupted = journal.settle_interrupted(now()); interrupted > 0)
            log::event(log::Level::warning, "uncertain",
                       {{"count", std::to_string(interrupted)},
                        {"reason", "an earlier run ended before their outcome was known"}});
    } catch (const journal::Unavailable &error) {
        // Mail waits in Postfix until it is there, and each such submission is looked up then.
        log::event(log::Level::error, "journal", {{"reason", error.what()}});
    }
}

/// What a lost journal has to learn first, see belonging.hpp.
void know_evidence(relay::Submitter &submitter, const journal::Evidence &evidence) {
    try {
        submitter.know(evidence, [](const journal::Rebuilt &done) {
            extend_start(std::chrono::minutes(2));
            notify_status("Rebuilding the journal from the evidence: " +
                          std::to_string(done.restored) + " submissions so far");
        });
        notify_status("");
    } catch (const journal::Unavailable &error) { // seen to again with each message
        log::event(log::Level::error, "journal", {{"reason", error.what()}});
    }
}

void run(const DaemonOptions &options) {
    const auto &configuration = options.configuration;
    if (::mkdir(configuration->spool.c_str(), 0700) != 0 && errno != EEXIST)
        throw std::runtime_error("the spool directory " + configuration->spool +
                                 " cannot be made: " + std::strerror(errno));
    const auto journal = journal::Journal::open(configuration->journal, relay_name(*configuration));
    settle_interrupted(*journal);

    relay::Submitter submitter(*journal, now);
    relay::Service service(relay::settings_from(configuration), submitter);
    know_evidence(submitter, service.settings()->evidence);
    // Connecting needs write permission: the peer's group alone gets it, and the peer's uid is
    // checked on top.
    lmtp::Server server(listen_unix(configuration->lmtp_socket, 0660),
                        {uid_of(configuration->lmtp_peer)}, service, {});
    relay::DomainKeeper domains(service);
    const relay::GivenUpWatch given_up(service, *journal, now);
    // A socket has one group and two may ask: anybody connects, and the peer's groups are judged.
    const ControlServer control("demail-relay", listen_unix(configuration->control_socket, 0666),
                                control_commands(service, domains, *journal));
    std::thread serving([&] { server.run(); });

    serve_signals({[&] {
        auto read = read_configuration(options.config_file);
        if (const auto *faults = std::get_if<std::vector<ConfigurationFault>>(&read))
            throw std::runtime_error(faults->front().str() + " (the old configuration stays)");
        service.replace(relay::settings_from(
            std::make_shared<const Configuration>(std::get<Configuration>(std::move(read))),
            service.settings().get()));
        domains.refresh();
    }});
    crypto::end_token_calls(token_grace);
    server.stop();
    serving.join();
}

} // namespace

int main(int argc, char **argv) {
    DaemonOptions options;
    if (const auto code =
            start_daemon(argc, argv, "demail-relay",
                         "Submits sealed messages to the De-Mail provider.", true, options))
        return *code;
    log::open("demail-relay");
    ::signal(SIGPIPE, SIG_IGN);
    // By default the 128 KiB that a message leaves free go back to the kernel, to be asked for
    // again by the next one, at a twentieth of its cost.
    ::mallopt(M_TRIM_THRESHOLD, 1 << 20);
    block_signals();
    try {
        run(options);
        // All is on disk; a module's own destructors would wait for its call.
        if (crypto::token_call_hangs()) ::_exit(exit_good);
        return exit_good;
    } catch (const std::exception &error) {
        log::event(log::Level::error, "ended", {{"reason", error.what()}});
        return exit_unavailable;
    }
}
