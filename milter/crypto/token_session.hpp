// The one session that all keys of a token share, behind its lock. Thread-safe.
#pragma once

#include "crypto/open_token.hpp"

#include <memory>
#include <mutex>
#include <utility>

namespace demail::crypto {

class TokenSession {
  public:
    /// Finds the one token that fits the URI and gives the session of it, shared with whoever has
    /// it already. Throws TokenUnavailable; does not log in yet.
    static std::shared_ptr<TokenSession> find(const KeyUri &uri);

    explicit TokenSession(std::shared_ptr<Module> module, TokenIdentity identity,
                          std::shared_ptr<PinLatch> latch)
        : token_(std::move(module), std::move(identity), std::move(latch)) {}

    /// Does `work(OpenToken &)` under the lock, with an open session. When it fails because card,
    /// session, login or a handle went away, everything is opened anew and it is done once more.
    /// Throws TokenUnavailable.
    template <typename Work>
    auto use(Work work) {
        const std::lock_guard lock(mutex_);
        const ErrorQueueMark mark;
        try {
            bool fresh = false;
            if (!token_.is_open()) {
                token_.reopen();
                fresh = true;
            }
            try {
                return work(token_);
            } catch (const CkError &error) {
                if (fresh || !cured_by_reopening(error.result)) throw;
            }
            token_.reopen();
            return work(token_);
        } catch (const CkError &error) {
            throw explain(error, token_.identity().label);
        }
    }

  private:
    std::mutex mutex_;
    OpenToken token_;
};

} // namespace demail::crypto
