// A request on its way to a card's thread, and the answer on its way back. Thread-safe.
#pragma once

#include "base/handle.hpp"
#include "broker/access.hpp"
#include "broker/fair_queue.hpp"
#include "wire/message.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <variant>

namespace demail::broker {

/// The card is in another reader now: ask the catalogue again.
struct Moved {};
using JobOutcome = std::variant<wire::Reply, Moved>;

class Job {
  public:
    /// `bell`, an eventfd, is written to with the outcome.
    Job(Peer peer, wire::Request request, Clock::time_point deadline,
        std::shared_ptr<const Fd> bell);

    const Peer peer;
    const wire::Request request; ///< the thread that took the job alone touches it
    const Clock::time_point deadline;

    /// Nobody waits for it any more: what has not begun need not.
    void abandon() noexcept { abandoned_ = true; }
    [[nodiscard]] bool abandoned() const noexcept { return abandoned_; }

    void finish(JobOutcome outcome);
    [[nodiscard]] std::optional<JobOutcome> take_outcome();

  private:
    std::shared_ptr<const Fd> bell_;
    std::atomic<bool> abandoned_{false};
    std::mutex mutex_;
    std::optional<JobOutcome> outcome_;
};

/// What waits for one card.
using Desk = FairQueue<std::shared_ptr<Job>>;

} // namespace demail::broker
