// What waits for a card: first come, first served within a client; between clients the one that was
// served longest ago. So a client that asks by many connections gets no more than one that asks by
// one and is back a moment later. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
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
        // A client that is new goes behind those that wait.
        Line &line = lines_.try_emplace(client, Line{{}, ++served_}).first->second;
        line.jobs.push_back(std::move(job));
        ++size_;
        changed_.notify_all();
        return true;
    }

    /// The next client's first job; waits until `deadline`. nullopt: none came, wake() was called,
    /// or it is closed.
    std::optional<Job> take(Clock::time_point deadline) {
        std::unique_lock lock(mutex_);
        changed_.wait_until(lock, deadline, [&] { return size_ > 0 || closed_ || woken_; });
        woken_ = false;
        if (size_ == 0 || closed_) return std::nullopt;
        auto next = lines_.end();
        for (auto line = lines_.begin(); line != lines_.end(); ++line)
            if (!line->second.jobs.empty() &&
                (next == lines_.end() || line->second.served < next->second.served))
                next = line;
        Job job = std::move(next->second.jobs.front());
        next->second.jobs.pop_front();
        next->second.served = ++served_;
        --size_;
        if (lines_.size() > most_clients) forget();
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
        lines_.clear();
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
    struct Line {
        std::deque<Job> jobs;
        std::uint64_t served; ///< when, in jobs
    };
    static constexpr std::size_t most_clients = 1024;

    /// Those that have nothing to ask for are new when they come again.
    void forget() {
        std::erase_if(lines_, [](const auto &line) { return line.second.jobs.empty(); });
    }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<Client, Line> lines_;
    std::uint64_t served_ = 0;
    std::size_t size_ = 0;
    bool closed_ = false, woken_ = false;
};

} // namespace demail::broker
