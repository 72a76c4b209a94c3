#include "broker/job.hpp"

#include <unistd.h>

#include <cstdint>
#include <utility>

namespace demail::broker {

Job::Job(Peer who, wire::Request what, Clock::time_point until, std::shared_ptr<const Fd> bell)
    : peer(std::move(who)), request(std::move(what)), deadline(until), bell_(std::move(bell)) {}

void Job::finish(JobOutcome outcome) {
    {
        const std::lock_guard lock(mutex_);
        outcome_ = std::move(outcome);
    }
    const std::uint64_t one = 1;
    // It cannot fail but where the counter is full, and then the bell rings already.
    [[maybe_unused]] const ssize_t written = ::write(bell_->get(), &one, sizeof one);
}

std::optional<JobOutcome> Job::take_outcome() {
    const std::lock_guard lock(mutex_);
    return std::exchange(outcome_, std::nullopt);
}

} // namespace demail::broker
