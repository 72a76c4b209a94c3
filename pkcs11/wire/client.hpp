// The client's end of the wire. Thread-safe: each call takes a connection of its own out of a small
// pool. A child after fork makes a Client of its own and leaves the parent's alone.
#pragma once

#include "wire/connection.hpp"
#include "wire/message.hpp"

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace demail::wire {

/// Why there is no reply. The sentence is for people.
struct NoReply {
    enum class Why {
        unreachable, ///< nobody listens, or may not be asked
        late,        ///< the deadline has passed
        uncertain,   ///< the request went out, the answer did not come, it must not be sent again
        garbled,     ///< what came is no reply to this request
        impostor,    ///< a PIN was to be sent and the other end is neither root nor demail-cardd
    };
    Why why;
    std::string sentence;
};

/// $DEMAIL_CARDD_SOCKET (not in setuid programs), or /run/demail-cardd/socket.
[[nodiscard]] std::string default_socket();

/// Whether a PIN may go to this user: root, or the user demail-cardd.
[[nodiscard]] bool is_card_daemon(uid_t uid);

class Client {
  public:
    /// Connects with the first call. `trusted` judges the other end before a secret leaves.
    explicit Client(std::string socket = default_socket(),
                    std::function<bool(uid_t)> trusted = is_card_daemon);

    using Answer = std::variant<Reply, NoReply>;
    /// Sends and waits for the reply until `deadline`. A daemon that was there before and is not
    /// now is waited for while it restarts. What was not sent in full, and what does no harm twice
    /// (a signature), is sent again once; a PIN never is. Throws std::bad_alloc, and
    /// std::length_error for a request beyond its limits.
    [[nodiscard]] Answer call(const Request &request, Clock::time_point deadline);

    /// Ends the calls that wait, in other threads too, and lets no other begin: unreachable.
    void stop() noexcept;

  private:
    [[nodiscard]] std::variant<Connection, NoReply> connection(Clock::time_point deadline);
    [[nodiscard]] std::variant<Connection, NoReply> new_connection(Clock::time_point deadline);
    [[nodiscard]] std::optional<Connection> idle_connection();
    [[nodiscard]] std::optional<NoReply> mistrust(const Connection &connection) const;
    void keep(Connection connection);

    std::string socket_;
    std::function<bool(uid_t)> trusted_;
    Stop stop_;
    std::atomic<std::uint32_t> last_id_ = 0;
    std::atomic<bool> was_there_ = false;
    std::mutex mutex_;
    std::vector<Connection> idle_; ///< under mutex_
};

} // namespace demail::wire
