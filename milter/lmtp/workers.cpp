#include "lmtp/workers.hpp"

namespace demail::lmtp {

void Workers::give(Fd socket) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(socket));
    if (idle_ >= waiting_.size()) {
        ++busy_;
        ready_.notify_one();
        return;
    }
    try {
        threads_.emplace_back([this] { work(); });
    } catch (...) {
        waiting_.pop_back();
        throw;
    }
    ++busy_;
}

std::size_t Workers::busy() const {
    const std::lock_guard lock(mutex_);
    return busy_;
}

void Workers::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        ++idle_;
        ready_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
        --idle_;
        if (waiting_.empty()) return;
        Fd socket = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        serve_(std::move(socket));
        lock.lock();
        --busy_;
    }
}

void Workers::join() {
    {
        const std::lock_guard lock(mutex_);
        ended_ = true;
    }
    ready_.notify_all();
    for (std::thread &one : threads_)
        one.join();
    threads_.clear();
}

} // namespace demail::lmtp
