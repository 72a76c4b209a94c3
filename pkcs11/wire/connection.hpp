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

/// How far a step came.
enum class Step {
    done,
    late, ///< the deadline passed
    gone, ///< the other end hung up, or is not there
};

class Connection {
  public:
    explicit Connection(Fd socket);

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
    [[nodiscard]] bool wait_for(short events, Clock::time_point deadline) const;

    Fd socket_;
    FrameReader reader_{limit::reply};
};

/// Why there is no connection: an errno value, ETIMEDOUT for the deadline.
using ConnectError = int;
[[nodiscard]] std::variant<Connection, ConnectError> connect_to(const std::string &path,
                                                                Clock::time_point deadline);

} // namespace demail::wire
