// The milter's socket and libmilter's main loop.
#pragma once

#include "filter/session.hpp"

#include <atomic>
#include <optional>
#include <string>
#include <thread>

namespace demail::filter {

/// Listens on a Unix socket (mode 0660) and runs smfi_main() on a thread of its own, since
/// libmilter would take SIGHUP for the end of the program. One per process, as libmilter has it.
class Listener {
  public:
    /// `around` has to outlive the listener.
    Listener(std::string socket, const Surroundings &around);
    ~Listener();
    Listener(const Listener &) = delete;
    Listener &operator=(const Listener &) = delete;

    /// A string says why it could not start.
    [[nodiscard]] std::optional<std::string> start();
    /// False once libmilter has returned.
    [[nodiscard]] bool running() const noexcept { return running_; }
    /// Ends libmilter and waits for it, at most 0.6 s: then it ends the process. False where
    /// libmilter had ended by itself before.
    bool stop();

  private:
    void wake() const;

    const std::string socket_;
    const Surroundings &around_;
    std::thread thread_;
    std::atomic<bool> running_{false};
    std::atomic<bool> stopping_{false};
};

} // namespace demail::filter
