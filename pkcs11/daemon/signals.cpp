#include "daemon/signals.hpp"

#include "base/log.hpp"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <csignal>
#include <ctime>
#include <exception>
#include <system_error>

namespace demail {
namespace {

sigset_t served_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGHUP, SIGTERM, SIGINT})
        sigaddset(&set, number);
    return set;
}

void reload(const SignalActions &actions) {
    // Type=notify-reload wants the moment, so that an old READY=1 cannot pass for the new one.
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    sd_notify(0, fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                             now.tv_sec * 1000000LL + now.tv_nsec / 1000)
                     .c_str());
    try {
        if (actions.reload) actions.reload();
    } catch (const std::exception &error) {
        log::say(log::Level::error,
                 fmt::format("The reload failed, the old configuration stays: {}", error.what()));
    } catch (...) {
        log::say(log::Level::error, "The reload failed, the old configuration stays.");
    }
    sd_notify(0, "READY=1");
}

/// Half of what systemd waits for (sd_watchdog_enabled(3)); zero: no watchdog.
timespec watchdog_pause() {
    std::uint64_t microseconds = 0;
    if (sd_watchdog_enabled(0, &microseconds) <= 0) return {};
    microseconds /= 2;
    timespec pause{};
    pause.tv_sec = static_cast<time_t>(microseconds / 1000000);
    pause.tv_nsec = static_cast<long>(microseconds % 1000000 * 1000);
    return pause;
}

} // namespace

void block_signals() {
    const sigset_t set = served_signals();
    const int error = ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    if (error != 0) throw std::system_error(error, std::generic_category(), "pthread_sigmask");
    // A peer that hangs up is an error of that write, not the end of the daemon.
    std::signal(SIGPIPE, SIG_IGN);
}

void serve_signals(const SignalActions &actions, const std::function<bool()> &healthy) {
    const sigset_t set = served_signals();
    const timespec pause = watchdog_pause();
    const bool watched = pause.tv_sec != 0 || pause.tv_nsec != 0;
    sd_notify(0, "READY=1");
    for (;;) {
        if (watched && (!healthy || healthy())) sd_notify(0, "WATCHDOG=1");
        const int number =
            watched ? ::sigtimedwait(&set, nullptr, &pause) : ::sigwaitinfo(&set, nullptr);
        if (number == SIGHUP) reload(actions);
        if (number == SIGTERM || number == SIGINT) break;
    }
    sd_notify(0, "STOPPING=1");
}

void extend_start(std::chrono::seconds time) {
    sd_notify(
        0, fmt::format("EXTEND_TIMEOUT_USEC={}", std::chrono::microseconds(time).count()).c_str());
}

void notify_status(const std::string &sentence) {
    std::string line = "STATUS=" + sentence;
    for (char &c : line)
        if (c == '\n') c = ' ';
    sd_notify(0, line.c_str());
}

} // namespace demail
