#include "module/process.hpp"

#include "module/state.hpp"

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace demail::module {
namespace {

using namespace std::chrono_literals;

struct Process {
    std::mutex mutex;
    std::condition_variable left; ///< a call has ended
    State *state = nullptr;       ///< under the mutex, like State::calls
    bool watches_forks = false;
};

/// Never destroyed: another thread may still be in a call while the program exits.
union Forever {
    Process process;
    Forever() : process() {}
    ~Forever() {}
};

Process &process() {
    static Forever only;
    return only.process;
}

void before_fork() {
    process().mutex.lock();
}
void after_fork_in_parent() {
    process().mutex.unlock();
}
/// What other threads of the parent were doing with the state is not known: it is left alone. Its
/// connections stay the parent's, its pages of secrets are empty here.
void after_fork_in_child() {
    process().state = nullptr;
    process().mutex.unlock();
}

void check(const CK_C_INITIALIZE_ARGS *arguments) {
    if (arguments == nullptr) return;
    require(arguments->pReserved == nullptr);
    const int given = (arguments->CreateMutex != nullptr) + (arguments->DestroyMutex != nullptr) +
                      (arguments->LockMutex != nullptr) + (arguments->UnlockMutex != nullptr);
    require(given == 0 || given == 4);
    require(given == 0 || (arguments->flags & CKF_OS_LOCKING_OK) != 0, CKR_CANT_LOCK);
}

} // namespace

void initialise(const CK_C_INITIALIZE_ARGS *arguments) {
    check(arguments);
    Process &only = process();
    const std::lock_guard lock(only.mutex);
    require(only.state == nullptr, CKR_CRYPTOKI_ALREADY_INITIALIZED);
    if (!only.watches_forks) {
        require(::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) == 0,
                CKR_HOST_MEMORY);
        only.watches_forks = true;
    }
    only.state = new State;
}

void finalise() {
    Process &only = process();
    std::unique_lock lock(only.mutex);
    require(only.state != nullptr, CKR_CRYPTOKI_NOT_INITIALIZED);
    State *const state = std::exchange(only.state, nullptr);
    state->stop();
    // C_WaitForSlotEvent in another thread ends now (PKCS#11 2.40 5.5); a call that does not is not
    // pulled its state away from under it.
    if (only.left.wait_for(lock, 5s, [&] { return state->calls == 0; })) delete state;
}

Call::Call() {
    Process &only = process();
    const std::lock_guard lock(only.mutex);
    require(only.state != nullptr, CKR_CRYPTOKI_NOT_INITIALIZED);
    state_ = only.state;
    ++state_->calls;
}

Call::~Call() {
    Process &only = process();
    const std::lock_guard lock(only.mutex);
    if (--state_->calls == 0) only.left.notify_all();
}

} // namespace demail::module
