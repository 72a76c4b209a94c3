// What waits for a card: first come, first served within a client, clients in turn. A client that
// asks without pause gets no more than one that asks now and then. Thread-safe.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <utility>

namespace demail::broker {

using Clock = std::chrono::steady_clock;

template <typename Job>
class FairQueue {
  public:
    using Client = std::uint64_t;

    /// False where it is closed or holds `limit` jobs.
    bool put(Client client, Job job, std::size_t limit = 4096) {
        const std::lock_guard lock(mutex_);
        if (closed_ || size_ >= limit) return false;
        const auto turn = std::find_if(turns_.begin(), turns_.end(),
                                       [&](const Turn &one) { return one.client == client; });
        if (turn != turns_.end())
            turn->jobs.push_back(std::move(job));
        else
            turns_.push_back({client, {}}), turns_.back().jobs.push_back(std::move(job));
        ++size_;
        changed_.notify_all();
        return true;
    }

    /// The next client's first job; waits until `deadline`. nullopt: none came, wake() was called,
    /// or it is closed.
    std::optional<Job> take(Clock::time_point deadline) {
        std::unique_lock lock(mutex_);
        changed_.wait_until(lock, deadline, [&] { return !turns_.empty() || closed_ || woken_; });
        woken_ = false;
        if (turns_.empty() || closed_) return std::nullopt;
        Job job = std::move(turns_.front().jobs.front());
        turns_.front().jobs.pop_front();
        --size_;
        // To the end of the line, or out of it.
        if (turns_.front().jobs.empty())
            turns_.pop_front();
        else
            turns_.splice(turns_.end(), turns_, turns_.begin());
        return job;
    }

    /// Makes a take() that waits, or the next one, return.
    void wake() {
        const std::lock_guard lock(mutex_);
        woken_ = true;
        changed_.notify_all();
    }

    /// Waits for wake(), close() or `deadline`, whatever jobs are there; true when woken.
    bool wait_for_wake(Clock::time_point deadline) {
        std::unique_lock lock(mutex_);
        changed_.wait_until(lock, deadline, [&] { return closed_ || woken_; });
        return std::exchange(woken_, false);
    }

    /// No job is taken in or given out any more. What was in it is destroyed.
    void close() {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        turns_.clear();
        size_ = 0;
        changed_.notify_all();
    }
    [[nodiscard]] bool closed() const {
        const std::lock_guard lock(mutex_);
        return closed_;
    }
    [[nodiscard]] std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return size_;
    }

  private:
    struct Turn {
        Client client;
        std::deque<Job> jobs;
    };
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::list<Turn> turns_;
    std::size_t size_ = 0;
    bool closed_ = false, woken_ = false;
};

} // namespace demail::broker
