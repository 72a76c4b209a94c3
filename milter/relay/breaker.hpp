// A circuit breaker for a provider: when several requests in a row, over some time, got no answer
// that counts, it is left alone for a while, so that De-Mails wait as `deferred` and do not become
// `uncertain` one after the other. Then one request tries.
#pragma once

#include "soap/provider.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace demail::relay {

/// One for a provider, whichever account asks. Thread-safe.
class Breaker {
  public:
    using Clock = std::function<std::chrono::steady_clock::time_point()>;
    static constexpr int failures_allowed = 5; ///< in a row
    static constexpr std::chrono::seconds first_rest{5}, longest_rest{300};

    /// `patience`: from the first of them.
    Breaker(std::string provider, std::chrono::seconds patience,
            Clock clock = std::chrono::steady_clock::now)
        : provider_(std::move(provider)), patience_(patience), clock_(std::move(clock)) {}

    /// Why nothing is asked now; nullopt where somebody may. Changes nothing.
    [[nodiscard]] std::optional<std::string> resting() const;

    /// The same for a request that is about to go out: after a rest it is the one that tries, and
    /// the others wait for what comes of it.
    [[nodiscard]] std::optional<std::string> begin();
    void answered();
    /// Nothing came back that counts.
    void failed(const std::string &why);
    /// It did not come to a request.
    void not_asked();

  private:
    [[nodiscard]] std::optional<std::string> why_not() const;

    const std::string provider_;
    const std::chrono::seconds patience_;
    const Clock clock_;
    mutable std::mutex mutex_;
    int failures_ = 0;
    bool trying_ = false; ///< after a rest
    std::chrono::seconds rest_{0};
    std::chrono::steady_clock::time_point first_failure_{}, until_{};
    std::string last_;
};

/// The same provider behind the breaker: NotSent while it rests.
[[nodiscard]] std::unique_ptr<soap::Provider> behind(std::shared_ptr<Breaker> breaker,
                                                     std::unique_ptr<soap::Provider> provider);

} // namespace demail::relay
