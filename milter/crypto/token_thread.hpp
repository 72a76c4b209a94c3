// The thread on which all calls to one token, or to one module, are made. A card that hangs holds
// this thread; whoever waits for it gets an answer by the deadline. A call cannot be taken back:
// the thread goes on with it, and serves again when it returns. Thread-safe.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace demail::crypto {

class TokenThread {
  public:
    /// Without mutable state of the caller's: a job may outlive the wait for it.
    using Job = std::function<void()>;

    TokenThread();
    /// Does not wait for a call that hangs.
    ~TokenThread();
    TokenThread(const TokenThread &) = delete;
    TokenThread &operator=(const TokenThread &) = delete;

    /// Waits for its turn, then at most `deadline` for the job. False when the job, or the one
    /// before it, has not returned in time; false at once as long as such a one goes on. The job is
    /// destroyed on the thread; it must not throw. Called by a job, it runs the other one at once.
    [[nodiscard]] bool run(Job job, std::chrono::milliseconds deadline);

  private:
    struct Lane;
    std::shared_ptr<Lane> lane_;
};

/// Does `work()` on the thread and gives what it returns or throws; throws no_answer() when it does
/// not return by the deadline.
template <typename Work, typename NoAnswer>
auto answer_of(TokenThread &thread, std::chrono::milliseconds deadline, Work work,
               NoAnswer no_answer) {
    using Result = std::invoke_result_t<Work &>;
    struct Answer {
        std::optional<Result> result;
        std::exception_ptr fault;
    };
    const auto answer = std::make_shared<Answer>();
    const bool done = thread.run(
        [answer, work = std::move(work)]() mutable {
            try {
                answer->result.emplace(work());
            } catch (...) {
                answer->fault = std::current_exception();
            }
        },
        deadline);
    if (!done) throw no_answer();
    if (answer->fault) std::rethrow_exception(answer->fault);
    return std::move(*answer->result);
}

/// The process is ending: from `grace` on, nobody waits for a token any more.
void end_token_calls(std::chrono::milliseconds grace);
/// A call has not returned in time and still goes on. Destructors of a module that run at exit()
/// may wait for it without end: leave by _exit() then.
[[nodiscard]] bool token_call_hangs();

} // namespace demail::crypto
