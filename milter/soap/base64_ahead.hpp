// The base64 of a region of a file, made one piece ahead on a thread of its own: to encode takes
// half as long as to hash, and a large message waits for both.
#pragma once

#include <sys/types.h>

#include <array>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace demail::soap {

/// Used by one thread, beside its own.
class Base64Ahead {
  public:
    /// `length` is a multiple of 3: no padding. Throws std::system_error without a thread.
    Base64Ahead(int fd, off_t offset, std::uint64_t length);
    ~Base64Ahead();
    Base64Ahead(const Base64Ahead &) = delete;
    Base64Ahead &operator=(const Base64Ahead &) = delete;

    /// The next piece, valid until the next call; empty at the end. Throws std::runtime_error where
    /// the file cannot be read or is shorter than it was.
    [[nodiscard]] std::string_view next();

  private:
    struct Slot {
        std::string text;
        std::size_t length = 0;
    };
    void run(int fd, off_t offset, std::uint64_t length) noexcept;
    bool wait_for_slot();

    std::array<Slot, 2> slots_;
    std::mutex mutex_;
    std::condition_variable change_;
    std::size_t made_ = 0, used_ = 0; ///< pieces
    bool holds_ = false;              ///< the caller reads the piece `used_`
    bool ended_ = false, unwanted_ = false;
    std::exception_ptr fault_;
    std::thread thread_;
};

} // namespace demail::soap
