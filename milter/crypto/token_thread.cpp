#include "crypto/token_thread.hpp"

#include <openssl/err.h>
#include <signal.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

namespace demail::crypto {
namespace {

using Clock = std::chrono::steady_clock;

// One lock for all lanes: it is held for moments only, and the end of the process concerns them
// all. Never freed, since a thread that hangs may come back while the process exits.
struct Common {
    std::mutex mutex;
    std::set<std::condition_variable *> waiting; ///< of all who wait for a token
    Clock::time_point end = Clock::time_point::max();
    int hanging = 0; ///< lanes with an overdue job

    void wake_all() {
        for (std::condition_variable *one : waiting)
            one->notify_one();
    }
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
    /// A job and who waits for it. The next one begins at once, whether that one has woken or not:
    /// the token is the slowest part of all, it must not wait for us.
    struct Turn {
        Job job;
        std::chrono::milliseconds deadline;
        std::condition_variable change;
        bool done = false;
    };

    std::condition_variable work;
    std::deque<std::shared_ptr<Turn>> turns; ///< not yet begun, in the order of their coming
    bool busy = false;                       ///< a job runs, or is about to
    bool running = false;
    bool overdue = false; ///< it should have returned by now
    bool ending = false;
    Clock::time_point due; ///< of the one that runs
    std::thread::id id;

    void begin_next();
    void serve();
    bool wait_for(const std::shared_ptr<Turn> &turn, std::unique_lock<std::mutex> &lock);
};

/// Its time runs from now on, though the thread may take a moment to wake.
void TokenThread::Lane::begin_next() {
    busy = !turns.empty();
    if (busy) due = Clock::now() + turns.front()->deadline;
}

void TokenThread::Lane::serve() {
    std::unique_lock lock(common().mutex);
    for (;;) {
        work.wait(lock, [this] { return ending || !turns.empty(); });
        if (turns.empty()) return;
        const std::shared_ptr<Turn> turn = std::move(turns.front());
        turns.pop_front();
        running = true;
        Job mine = std::move(turn->job);
        lock.unlock();
        mine();
        mine = nullptr;
        ERR_clear_error(); // a module's leavings (module.hpp)
        lock.lock();
        if (overdue) --common().hanging;
        running = overdue = false;
        begin_next();
        turn->done = true;
        turn->change.notify_one();
    }
}

/// False when it, or the one before it, is overdue.
bool TokenThread::Lane::wait_for(const std::shared_ptr<Turn> &turn,
                                 std::unique_lock<std::mutex> &lock) {
    common().waiting.insert(&turn->change);
    while (!turn->done && !overdue) {
        const auto until = std::min(due, common().end);
        if (Clock::now() < until) {
            turn->change.wait_until(lock, until);
        } else if (running) {
            overdue = true;
            ++common().hanging;
            common().wake_all();
        } else if (Clock::now() >= common().end) {
            break;
        } else {
            begin_next(); // the machine is so busy that the thread has not woken yet
        }
    }
    common().waiting.erase(&turn->change);
    if (!turn->done) turns.erase(std::remove(turns.begin(), turns.end(), turn), turns.end());
    if (!running && turns.empty()) busy = false;
    return turn->done;
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
    if (lane.overdue) return false;
    const auto turn = std::make_shared<Lane::Turn>();
    turn->job = std::move(job);
    turn->deadline = deadline;
    lane.turns.push_back(turn);
    if (!lane.busy) lane.begin_next();
    lane.work.notify_one();
    return lane.wait_for(turn, lock);
}

void end_token_calls(std::chrono::milliseconds grace) {
    const std::lock_guard lock(common().mutex);
    common().end = Clock::now() + grace;
    common().wake_all();
}

bool token_call_hangs() {
    const std::lock_guard lock(common().mutex);
    return common().hanging > 0;
}

} // namespace demail::crypto
