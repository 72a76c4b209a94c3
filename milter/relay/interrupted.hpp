// What an earlier run of the relay was at when it ended. It is put to `uncertain` before the first
// mail is taken; where it is so much that mail would wait for that, the rest while mail is taken. A
// submission that has not had its turn yet is looked up all the same when Postfix brings it.
#pragma once

#include "journal/journal.hpp"
#include "relay/attempt.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace demail::relay {

/// Owns a thread where there is more to do.
class Interrupted {
  public:
    /// Returns when all is settled, but after `patience` at the latest, give or take one step.
    Interrupted(journal::Journal &journal, Clock clock, std::chrono::milliseconds patience);
    Interrupted(const Interrupted &) = delete;
    Interrupted &operator=(const Interrupted &) = delete;
    ~Interrupted(); ///< what is left then, the next run finds

  private:
    template <typename Condition>
    bool settle(Condition go_on);

    journal::Journal &journal_;
    const Clock clock_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool ending_ = false;
    std::thread thread_;
};

} // namespace demail::relay
