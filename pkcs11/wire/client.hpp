// The client's end of the wire. Thread-safe: each call takes a connection of its own out of a small
// pool. A child after fork makes a Client of its own.
#pragma once

#include "base/handle.hpp"
#include "wire/message.hpp"

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

namespace demail::wire {

using Clock = std::chrono::steady_clock;

/// Why there is no reply. The sentence is for people.
struct NoReply {
    enum class Why {
        unreachable, ///< nobody listens, or may not be asked
        late,        ///< the deadline has passed
        uncertain,   ///< the request was sent, the answer did not come, it must not be sent again
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
    ~Client();
    Client(const Client &) = delete;
    Client &operator=(const Client &) = delete;

    /// Sends and waits for the reply until `deadline`. A daemon that went away is connected to
    /// anew; while it restarts the call waits for it, if it was there before. What was not sent in
    /// full, and what does no harm twice (a signature), is sent again once; a PIN never is. Never
    /// throws but std::bad_alloc and std::length_error (a request beyond its limits).
    [[nodiscard]] std::variant<Reply, NoReply> call(const Request &request,
                                                    Clock::time_point deadline);

  private:
    class Connection;

    std::string socket_;
    std::function<bool(uid_t)> trusted_;
    std::mutex mutex_;
    std::vector<Fd> idle_;
    bool was_there_ = false;
};

} // namespace demail::wire
