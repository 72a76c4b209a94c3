// Bytes that nobody else shall see, PINs above all: in pages of their own, locked, left out of core
// dumps, empty in a child after fork, wiped at the end. A Secret belongs to one thread at a time.
#pragma once

#include <cstddef>
#include <string_view>

namespace demail {

class Secret {
  public:
    /// Holds nothing and has no memory.
    Secret() = default;
    /// Room for `capacity` bytes, of which none is used. Throws std::bad_alloc.
    explicit Secret(std::size_t capacity);
    /// A copy of `bytes`; the caller wipes its own.
    static Secret copy_of(std::string_view bytes);

    Secret(Secret &&other) noexcept;
    Secret &operator=(Secret &&other) noexcept;
    Secret(const Secret &) = delete;
    Secret &operator=(const Secret &) = delete;
    ~Secret();

    [[nodiscard]] std::string_view view() const noexcept { return {bytes_, size_}; }
    [[nodiscard]] char *data() noexcept { return bytes_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    /// False where the system refused to keep the pages out of swap (RLIMIT_MEMLOCK).
    [[nodiscard]] bool locked() const noexcept { return locked_; }

    /// Throws std::length_error beyond the capacity: growing would leave a copy behind.
    void append(std::string_view bytes);
    /// Bytes written to data() count from now on; the same limit.
    void resize(std::size_t size);
    /// Drops the first `count` bytes; what is behind them moves to the front, the rest is wiped.
    void drop_front(std::size_t count) noexcept;
    void wipe() noexcept;

  private:
    void release() noexcept;

    char *bytes_ = nullptr;
    std::size_t size_ = 0, capacity_ = 0;
    bool locked_ = false;
};

} // namespace demail
