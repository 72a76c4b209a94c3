// One connection of a client to the daemon: connect, hello, a request, its reply; each step until a
// deadline. Not thread-safe.
#pragma once

#include "base/handle.hpp"
#include "wire/codec.hpp"
#include "wire/frame.hpp"

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <variant>

namespace demail::wire {

using Clock = std::chrono::steady_clock;

/// Tells those who wait that they shall not. Thread-safe.
class Stop {
  public:
    /// Throws std::system_error without a file descriptor.
    Stop();
    void now() noexcept;
    /// Readable from now() on.
    [[nodiscard]] int fd() const noexcept { return event_.get(); }
    [[nodiscard]] bool was_said() const noexcept;
    /// True when it was said before `time`.
    [[nodiscard]] bool wait_until(Clock::time_point time) const noexcept;

  private:
    Fd event_;
};

/// How far a step came.
enum class Step {
    done,
    late, ///< the deadline passed
    gone, ///< the other end hung up, or stop was said
};

class Connection {
  public:
    /// `stop` outlives it.
    Connection(Fd socket, const Stop &stop);

    /// The peer's user (SO_PEERCRED).
    [[nodiscard]] std::optional<uid_t> peer() const noexcept;
    /// Nothing has come and the other end is there: as it must be between two requests.
    [[nodiscard]] bool quiet() const noexcept;
    /// gone: it did not go out in full, so nobody can have acted on it.
    [[nodiscard]] Step send(const Secret &frame, Clock::time_point deadline);
    /// done without a reply: what came is none.
    struct Received {
        Step step;
        std::optional<Reply> reply;
    };
    [[nodiscard]] Received receive(Clock::time_point deadline);

  private:
    [[nodiscard]] Step wait_for(short events, Clock::time_point deadline) const;

    Fd socket_;
    const Stop *stop_;
    FrameReader reader_{limit::reply};
};

/// Why there is no connection: an errno value, ETIMEDOUT for the deadline, ECANCELED for stop.
using ConnectError = int;
[[nodiscard]] std::variant<Connection, ConnectError>
connect_to(const std::string &path, const Stop &stop, Clock::time_point deadline);

} // namespace demail::wire
