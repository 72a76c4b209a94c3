// Cuts the bytes of a connection into frames. One to a connection; not thread-safe.
#pragma once

#include "base/secret.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace demail::wire {

class FrameReader {
  public:
    /// Frames of up to `limit` bytes of payload: limit::request or limit::reply.
    explicit FrameReader(std::size_t limit);

    /// Where the next bytes from the socket go: read(fd, room().data(), room().size()), then
    /// received(). Empty while a whole frame waits to be taken.
    struct Room {
        char *data;
        std::size_t size;
    };
    [[nodiscard]] Room room() noexcept;
    void received(std::size_t count);

    /// The payload of the first whole frame; valid until the next call of any member. nullopt:
    /// there is none yet, or what came is none (broken()).
    [[nodiscard]] std::optional<std::string_view> next();
    /// A length beyond the limit or of nothing was announced: close the connection.
    [[nodiscard]] bool broken() const noexcept { return broken_; }
    /// Bytes of an unfinished frame are here.
    [[nodiscard]] bool amid_frame() const noexcept { return buffer_.size() > taken_; }

  private:
    std::size_t limit_;
    Secret buffer_;
    std::size_t taken_ = 0; ///< bytes of the frame that next() gave out
    bool broken_ = false;
};

} // namespace demail::wire
