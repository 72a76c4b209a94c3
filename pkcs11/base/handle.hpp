// Every handle owns itself: one wrapper for what C libraries hand out, one for file descriptors.
#pragma once

#include <unistd.h>

#include <memory>
#include <utility>

namespace demail {

/// Calls a C function as a deleter: Handle<X509, X509_free>.
template <auto Free>
struct FreeWith {
    template <typename T>
    void operator()(T *object) const noexcept {
        Free(object);
    }
};

/// Owns an object of a C library and frees it with `Free`. Not shared between threads by itself.
template <typename T, auto Free>
using Handle = std::unique_ptr<T, FreeWith<Free>>;

/// Owns a file descriptor; -1 is none.
class Fd {
  public:
    Fd() = default;
    explicit Fd(int fd) noexcept : fd_(fd) {}
    Fd(Fd &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd &operator=(Fd &&other) noexcept {
        if (this != &other) reset(std::exchange(other.fd_, -1));
        return *this;
    }
    Fd(const Fd &) = delete;
    Fd &operator=(const Fd &) = delete;
    ~Fd() { reset(); }

    [[nodiscard]] int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    void reset(int fd = -1) noexcept {
        if (fd_ >= 0) ::close(fd_);
        fd_ = fd;
    }

  private:
    int fd_ = -1;
};

} // namespace demail
