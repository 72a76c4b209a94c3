#include "crypto/token_thread.hpp"

#include <openssl/err.h>
#include <signal.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace demail::crypto {
namespace {

using Clock = std::chrono::steady_clock;

// One lock for all lanes: it is held for moments only, and the end of the process concerns them
// all. Never freed, since a thread that hangs may come back while the process exits.
struct Common {
    std::mutex mutex;
    std::condition_variable change; ///< a job has ended, is overdue, or the process ends
    Clock::time_point end = Clock::time_point::max();
    int hanging = 0; ///< lanes with an overdue job
};

Common &common() {
    static auto *const all = new Common;
    return *all;
}

/// Signals are the main thread's.
class BlockedSignals {
  public:
    BlockedSignals() {
        sigset_t all;
        sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    BlockedSignals(const BlockedSignals &) = delete;
    BlockedSignals &operator=(const BlockedSignals &) = delete;

  private:
    sigset_t before_{};
};

} // namespace

// All under the common lock.
struct TokenThread::Lane {
    std::condition_variable work;
    Job job;
    bool busy = false;    ///< a job waits or runs
    bool overdue = false; ///< it should have returned by now
    bool ending = false;
    unsigned long taken = 0, done = 0; ///< jobs
    Clock::time_point due;
    std::thread::id id;

    void serve();
    bool wait_for_end_of(unsigned long number, std::unique_lock<std::mutex> &lock);
};

void TokenThread::Lane::serve() {
    std::unique_lock lock(common().mutex);
    for (;;) {
        work.wait(lock, [this] { return ending || job; });
        if (!job) return;
        Job mine = std::move(job);
        job = nullptr;
        lock.unlock();
        mine();
        mine = nullptr;
        ERR_clear_error(); // a module's leavings (module.hpp)
        lock.lock();
        if (overdue) --common().hanging;
        busy = overdue = false;
        ++done;
        common().change.notify_all();
    }
}

/// False when it is overdue.
bool TokenThread::Lane::wait_for_end_of(unsigned long number, std::unique_lock<std::mutex> &lock) {
    while (done < number && !overdue) {
        const auto until = std::min(due, common().end);
        if (Clock::now() >= until) {
            overdue = true;
            ++common().hanging;
            common().change.notify_all();
        } else {
            common().change.wait_until(lock, until);
        }
    }
    return done >= number;
}

TokenThread::TokenThread() : lane_(std::make_shared<Lane>()) {
    const BlockedSignals blocked;
    std::thread thread([lane = lane_] { lane->serve(); });
    const std::lock_guard lock(common().mutex);
    lane_->id = thread.get_id();
    thread.detach();
}

TokenThread::~TokenThread() {
    const std::lock_guard lock(common().mutex);
    lane_->ending = true;
    lane_->work.notify_one();
}

bool TokenThread::run(Job job, std::chrono::milliseconds deadline) {
    Lane &lane = *lane_;
    std::unique_lock lock(common().mutex);
    if (lane.id == std::this_thread::get_id()) {
        lock.unlock();
        job();
        return true;
    }
    if (Clock::now() >= common().end) return false;
    while (lane.busy)
        if (!lane.wait_for_end_of(lane.taken, lock)) return false;
    lane.busy = true;
    lane.job = std::move(job);
    lane.due = Clock::now() + deadline;
    const unsigned long number = ++lane.taken;
    lane.work.notify_one();
    return lane.wait_for_end_of(number, lock);
}

void end_token_calls(std::chrono::milliseconds grace) {
    const std::lock_guard lock(common().mutex);
    common().end = Clock::now() + grace;
    common().change.notify_all();
}

bool token_call_hangs() {
    const std::lock_guard lock(common().mutex);
    return common().hanging > 0;
}

} // namespace demail::crypto
