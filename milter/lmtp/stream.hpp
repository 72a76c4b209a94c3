// The connection as the dialogue sees it: bytes both ways, with patience. Tests put their own in.
#pragma once

#include "base/handle.hpp"

#include <chrono>
#include <cstddef>
#include <string_view>

namespace demail::lmtp {

class Stream {
  public:
    enum class Event { bytes, closed, timed_out, stopped };
    struct Got {
        Event event = Event::closed;
        std::size_t size = 0;
    };

    virtual ~Stream() = default;
    /// Waits for at least one octet. `stoppable`: a stop of the server ends the wait, even when
    /// octets have come too.
    virtual Got read(char *buffer, std::size_t size, std::chrono::seconds patience,
                     bool stoppable) = 0;
    /// Writes all of it; false where the peer is gone or does not read for `patience`.
    virtual bool write(std::string_view bytes, std::chrono::seconds patience) = 0;
};

/// A non-blocking socket; `stop_fd` becomes readable when the server stops (-1: never).
class SocketStream final : public Stream {
  public:
    SocketStream(Fd socket, int stop_fd) noexcept : socket_(std::move(socket)), stop_fd_(stop_fd) {}
    Got read(char *buffer, std::size_t size, std::chrono::seconds patience,
             bool stoppable) override;
    bool write(std::string_view bytes, std::chrono::seconds patience) override;

  private:
    Fd socket_;
    int stop_fd_;
};

} // namespace demail::lmtp
