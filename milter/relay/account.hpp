// An account at a provider as the relay uses it: the wire, what the provider says of the account,
// and whether it is suspended.
#pragma once

#include "admin/configuration.hpp"
#include "relay/breaker.hpp"
#include "soap/provider.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>

namespace demail::relay {

/// Thread-safe.
class Account {
  public:
    /// Makes the wire when it is first needed, and again after it failed: a card that is absent
    /// when the relay starts may be there later. Throws crypto::TokenUnavailable or
    /// std::runtime_error.
    using Connect = std::function<std::unique_ptr<soap::Provider>()>;
    /// `breaker`: the provider's; null for none.
    Account(std::string name, std::string provider, Connect connect,
            std::shared_ptr<Breaker> breaker = nullptr, LookUps look_ups = LookUps::always)
        : name_(std::move(name)), provider_(std::move(provider)), connect_(std::move(connect)),
          breaker_(std::move(breaker)), look_ups_(look_ups) {}

    [[nodiscard]] const std::string &name() const noexcept { return name_; }
    [[nodiscard]] const std::string &provider() const noexcept { return provider_; }

    /// The wire, or why there is none.
    [[nodiscard]] std::variant<std::shared_ptr<soap::Provider>, soap::TokenFault> wire();

    /// GetAccount, asked where the last answer is older. Of the usual age, an older one serves all
    /// the same while the provider does not answer.
    static constexpr std::chrono::hours usual_age{1};
    [[nodiscard]] soap::Answer<soap::Account> description(std::chrono::seconds age = usual_age);

    [[nodiscard]] LookUps look_ups() const noexcept { return look_ups_; }
    /// LookupRecipient. An answer by which he may get the De-Mail serves for ten minutes; another
    /// one does not: he may just have signed up.
    [[nodiscard]] soap::Answer<soap::KnownRecipient> recipient(const Address &address,
                                                               bool needs_level_high);

    /// Why the provider is left alone for a while.
    [[nodiscard]] std::optional<std::string> resting() const {
        return breaker_ ? breaker_->resting() : std::nullopt;
    }

    /// After a refused login: nothing is sent until resume(), which a person calls.
    void suspend(const std::string &why);
    void resume();
    [[nodiscard]] std::optional<std::string> suspended() const;

  private:
    const std::string name_, provider_;
    const Connect connect_;
    const std::shared_ptr<Breaker> breaker_;
    const LookUps look_ups_;
    std::mutex connecting_; ///< a token may take its time: what only looks must not wait for it
    std::shared_ptr<soap::Provider> wire_; ///< under connecting_
    mutable std::mutex mutex_;             ///< of all that follows
    std::optional<soap::Account> description_;
    std::chrono::steady_clock::time_point described_at_{};
    std::optional<std::string> suspended_;
    struct LookedUp {
        soap::KnownRecipient recipient;
        std::chrono::steady_clock::time_point at;
    };
    std::map<std::string, LookedUp, std::less<>> recipients_; ///< those that exist
};

} // namespace demail::relay
