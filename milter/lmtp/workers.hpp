// Threads that serve one socket after another. As many as were busy at once stay for what comes: a
// thread's start and end (its stack, its part of the allocator, OpenSSL's state for it) cost a
// tenth of a submission, and Postfix makes a connection for almost each.
#pragma once

#include "base/handle.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace demail::lmtp {

class Workers {
  public:
    /// `serve` is called from many threads at once and must not throw.
    using Serve = std::function<void(Fd)>;
    explicit Workers(Serve serve) : serve_(std::move(serve)) {}
    Workers(const Workers &) = delete;
    Workers &operator=(const Workers &) = delete;
    ~Workers() { join(); }

    /// A thread serves it at once. Throws std::system_error where none is free and none can be
    /// started; the socket is closed then.
    void give(Fd socket);
    /// Sockets that are served now.
    [[nodiscard]] std::size_t busy() const;
    /// Waits until all are served and ends the threads; nothing is given any more.
    void join();

  private:
    void work();

    const Serve serve_;
    mutable std::mutex mutex_; // guards all below but threads_, which the giver alone touches
    std::condition_variable ready_;
    std::deque<Fd> waiting_;
    std::size_t idle_ = 0, busy_ = 0;
    bool ended_ = false;
    std::vector<std::thread> threads_;
};

} // namespace demail::lmtp
