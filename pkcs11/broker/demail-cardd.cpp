// demail-cardd: owns the cards, holds their PINs, signs for those who may.
#include "base/listen_unix.hpp"
#include "base/log.hpp"
#include "broker/audit.hpp"
#include "broker/cards.hpp"
#include "broker/catalogue.hpp"
#include "broker/configuration.hpp"
#include "broker/module_child.hpp"
#include "broker/module_host.hpp"
#include "broker/server.hpp"
#include "broker/service.hpp"
#include "daemon/command_line.hpp"
#include "daemon/exit.hpp"
#include "daemon/signals.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

namespace {

using namespace demail;
using namespace demail::broker;
using namespace std::chrono_literals;

/// What a card that signs at this moment gets when the daemon is to end.
constexpr auto card_grace = 500ms;
constexpr auto sync_pause = 1s;

/// PINs pass through more memory than the vault's own pages, if only as bytes of an APDU in
/// libpcsclite: no core file, no debugger of the same user, nothing swapped out where that is
/// allowed.
void harden() {
    rlimit core{};
    // The unit may forbid setting what it has set.
    const bool none = ::getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0;
    core = {0, 0};
    if (::prctl(PR_SET_DUMPABLE, 0) != 0 || (!none && ::setrlimit(RLIMIT_CORE, &core) != 0))
        throw std::runtime_error("core files cannot be switched off");
    rlimit locked{};
    if (::getrlimit(RLIMIT_MEMLOCK, &locked) == 0 && locked.rlim_cur == RLIM_INFINITY &&
        ::mlockall(MCL_CURRENT | MCL_FUTURE) == 0)
        return;
    log::say(log::Level::info, "Only PINs are kept out of swap, not the whole process "
                               "(LimitMEMLOCK=infinity would).");
}

void make_state_directory(const std::string &path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        throw std::runtime_error(
            fmt::format("the state directory {} cannot be made: {}", path, std::strerror(errno)));
}

ConfigurationReport read_all(const std::string &file, std::shared_ptr<const Configuration> &into) {
    auto read = read_configuration(file);
    if (auto *faults = std::get_if<std::vector<ConfigurationFault>>(&read))
        return {std::move(*faults), {}};
    into = std::make_shared<const Configuration>(std::get<Configuration>(std::move(read)));
    return check_files(*into, file);
}

/// Writes the audit log through to the disk once a second.
class Syncing {
  public:
    explicit Syncing(AuditLog &audit)
        : thread_([this, &audit] {
              std::unique_lock lock(mutex_);
              while (!ended_.wait_for(lock, sync_pause, [this] { return stop_; })) {
                  try {
                      audit.sync();
                  } catch (const std::exception &error) {
                      log::event(log::Level::error, "card", {{"reason", error.what()}});
                  }
              }
          }) {}
    ~Syncing() {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        ended_.notify_all();
        thread_.join();
    }
    Syncing(const Syncing &) = delete;
    Syncing &operator=(const Syncing &) = delete;

  private:
    std::mutex mutex_;
    std::condition_variable ended_;
    bool stop_ = false;
    std::thread thread_;
};

void run(const std::string &config_file, std::shared_ptr<const Configuration> configuration) {
    make_state_directory(configuration->state);
    AuditLog audit(configuration->state);
    Latches latches(configuration->state + "/latches");
    Catalogue catalogue(configuration->state + "/slots");
    Cards cards(*configuration, {catalogue, latches, audit});
    Service service(*configuration, cards, catalogue, audit);
    const Syncing syncing(audit);
    {
        // Anybody connects, and the peer's uid and groups are judged: a socket has one group, and
        // those who may use a key, act and look are three.
        const Server server(listen_unix(configuration->socket, 0666), service,
                            [&cards] { return cards.settled(); });
        serve_signals({[&] {
            std::shared_ptr<const Configuration> fresh;
            const ConfigurationReport report = read_all(config_file, fresh);
            if (!report.faults.empty()) throw std::runtime_error(report.faults.front().str());
            if (fresh->socket != configuration->socket || fresh->state != configuration->state)
                log::say(log::Level::warning,
                         "socket and state of [daemon] change with a restart only.");
            service.replace(*fresh);
            cards.replace(*fresh);
        }});
        ::unlink(configuration->socket.c_str());
    }
    const bool ended = cards.stop(card_grace);
    audit.sync();
    if (!ended) {
        log::say(log::Level::warning, "A card does not answer; it is left behind.");
        ::_exit(exit_good); // pcscd takes its power when this process is gone
    }
}

} // namespace

int main(int argc, char **argv) {
    if (argc == 3 && std::string_view(argv[1]) == module_host_word)
        return run_module_host(argv[2], module_host_socket);
    std::string config_file;
    std::shared_ptr<const Configuration> configuration;
    if (const auto code = start_program(
            argc, argv,
            {"demail-cardd", "Holds smart cards and signs for those who may",
             SYSCONFDIR "/demail/cardd.toml"},
            config_file, [&](const std::string &file) { return read_all(file, configuration); }))
        return *code;
    block_signals();
    try {
        harden();
        ::umask(0077);
        run(config_file, configuration);
        return exit_good;
    } catch (const std::exception &error) {
        log::event(log::Level::error, "ended", {{"reason", error.what()}});
        return exit_unavailable;
    }
}
