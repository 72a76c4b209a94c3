// A daemon's life between ready and the end: signals and sd_notify.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace demail {

/// Blocks SIGHUP, SIGTERM, SIGINT in the calling thread and all that it starts later, and ignores
/// SIGPIPE. Call before any thread starts.
void block_signals();

struct SignalActions {
    std::function<void()> reload; ///< SIGHUP; exceptions are logged, the old configuration stays
};
/// Says ready, then waits: SIGHUP reloads, SIGTERM and SIGINT return. Feeds systemd's watchdog
/// while `healthy` says so.
void serve_signals(const SignalActions &actions, const std::function<bool()> &healthy = {});

/// sd_notify EXTEND_TIMEOUT_USEC=…: a start that takes its time is not stuck.
void extend_start(std::chrono::seconds time);

/// sd_notify STATUS=…; silent without systemd.
void notify_status(const std::string &sentence);

} // namespace demail
