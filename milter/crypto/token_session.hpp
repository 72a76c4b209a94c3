// The one session that all keys of a token share, and the thread on which it is used. Thread-safe.
#pragma once

#include "crypto/open_token.hpp"
#include "crypto/token_thread.hpp"

#include <memory>
#include <mutex>
#include <utility>

namespace demail::crypto {

class TokenSession : public std::enable_shared_from_this<TokenSession> {
  public:
    /// Finds the one token that fits the URI and gives the session of it, shared with whoever has
    /// it already. `deadline`: for the module to load, and to list its tokens. `refused_pins`: as
    /// in PinSource. Throws TokenUnavailable; does not log in yet.
    static std::shared_ptr<TokenSession> find(const KeyUri &uri, std::chrono::milliseconds deadline,
                                              const std::string &refused_pins);

    TokenSession(std::shared_ptr<Module> module, TokenIdentity identity,
                 std::shared_ptr<PinLatch> latch)
        : label_(identity.label), token_(std::make_unique<OpenToken>(
                                      std::move(module), std::move(identity), std::move(latch))) {}
    ~TokenSession();
    TokenSession(const TokenSession &) = delete;
    TokenSession &operator=(const TokenSession &) = delete;

    /// Does `work(OpenToken &)` on the token's thread, with an open session. When it fails because
    /// card, session, login or a handle went away, everything is opened anew and it is done once
    /// more. Throws TokenUnavailable, also when all this takes longer than `deadline`: then `work`
    /// goes on and must hold no reference to anything of the caller's.
    template <typename Work>
    auto use(std::chrono::milliseconds deadline, Work work) {
        return answer_of(
            thread_, deadline,
            // A session whose call hangs stays the one that the next key of the token finds.
            [self = shared_from_this(), work = std::move(work)]() mutable {
                return self->attempt(work);
            },
            [this] { return no_answer(); });
    }

  private:
    template <typename Work>
    auto attempt(Work &work) {
        try {
            bool fresh = false;
            if (!token_->is_open()) {
                token_->reopen(pin());
                fresh = true;
            }
            try {
                return work(*token_);
            } catch (const CkError &error) {
                if (fresh || !cured_by_reopening(error.result)) throw;
            }
            token_->reopen(pin());
            return work(*token_);
        } catch (const CkError &error) {
            throw explain(error, label_);
        }
    }

    /// What to use when a PIN is needed and none has been accepted yet; the first file stays.
    void offer(const PinSource &pin);
    [[nodiscard]] PinSource pin() const;
    [[nodiscard]] TokenUnavailable no_answer() const;

    const std::string label_;
    mutable std::mutex mutex_;
    PinSource pin_;                    ///< under mutex_
    std::unique_ptr<OpenToken> token_; ///< only on thread_
    TokenThread thread_;
};

} // namespace demail::crypto
