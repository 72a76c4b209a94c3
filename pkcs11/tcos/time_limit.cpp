#include "tcos/time_limit.hpp"

#include "base/secret.hpp"
#include "tcos/apdu.hpp"

#include <signal.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace demail::tcos {

// What the two threads share; whoever leaves last takes it away. All under the lock, but for the
// buffers while `busy`: then they are the thread's.
struct TimeLimit::Desk {
    std::mutex mutex;
    std::condition_variable work;
    std::condition_variable change;
    std::unique_ptr<Transport> transport;
    Secret command{longest_command};
    Secret answer{longest_answer};
    std::optional<Transmitted> result;
    bool busy = false;
    bool late = false; ///< nobody waits for the result any more
    bool ending = false;
    bool ended = false;

    void serve();
};

void TimeLimit::Desk::serve() {
    std::unique_lock lock(mutex);
    for (;;) {
        work.wait(lock, [this] { return busy || ending; });
        if (!busy) break;
        lock.unlock();
        const Transmitted sent =
            transport->transmit(bytes_of(command.view()),
                                {reinterpret_cast<unsigned char *>(answer.data()), answer.size()});
        lock.lock();
        command.wipe();
        busy = false;
        result = sent;
        change.notify_all();
        if (late) break;
    }
    lock.unlock();
    transport.reset();
    lock.lock();
    answer.wipe();
    ended = true;
    change.notify_all();
}

TimeLimit::TimeLimit(std::unique_ptr<Transport> transport, std::chrono::milliseconds limit)
    : desk_(std::make_shared<Desk>()), limit_(limit) {
    desk_->transport = std::move(transport);
    // Signals are for other threads.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        std::thread([desk = desk_] { desk->serve(); }).detach();
    } catch (...) {
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        throw;
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TimeLimit::~TimeLimit() {
    std::unique_lock lock(desk_->mutex);
    desk_->ending = true;
    desk_->work.notify_one();
    if (!desk_->late) desk_->change.wait_for(lock, limit_, [this] { return desk_->ended; });
}

Transmitted TimeLimit::transmit(View command, std::span<unsigned char> answer) {
    Desk &desk = *desk_;
    std::unique_lock lock(desk.mutex);
    if (desk.late) return Loss::timed_out;
    if (command.size() > desk.command.capacity()) return Loss::garbled;
    desk.command.append(text_of(command));
    desk.answer.resize(std::min(answer.size(), desk.answer.capacity()));
    desk.result.reset();
    desk.busy = true;
    desk.work.notify_one();
    if (!desk.change.wait_for(lock, limit_, [&] { return desk.result.has_value(); })) {
        desk.late = true;
        return Loss::timed_out;
    }
    const Transmitted sent = *desk.result;
    if (const auto *size = std::get_if<std::size_t>(&sent)) {
        if (*size > desk.answer.size()) return Loss::garbled;
        std::copy_n(desk.answer.data(), *size, answer.begin());
    }
    desk.answer.resize(0);
    return sent;
}

} // namespace demail::tcos
