// An account at a provider as the relay uses it: the wire, what the provider says of the account,
// and whether it is suspended.
#pragma once

#include "admin/configuration.hpp"
#include "relay/breaker.hpp"
#include "relay/recipient_lookups.hpp"
#include "soap/provider.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
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
            std::shared_ptr<Breaker> breaker = nullptr, LookUps look_ups = LookUps::for_private)
        : name_(std::move(name)), provider_(std::move(provider)), connect_(std::move(connect)),
          breaker_(std::move(breaker)), look_ups_(look_ups) {}

    [[nodiscard]] const std::string &name() const noexcept { return name_; }
    [[nodiscard]] const std::string &provider() const noexcept { return provider_; }

    /// The wire, or why there is none.
    [[nodiscard]] std::variant<std::shared_ptr<soap::Provider>, soap::TokenFault> wire();

    /// GetAccount, asked once in ten minutes; an older answer serves while it is asked, and while
    /// the provider does not answer.
    [[nodiscard]] soap::Answer<soap::Account> description();
    /// For a refusal: an answer of the last minute or none. Rights change.
    [[nodiscard]] soap::Answer<soap::Account> description_of_now();
    /// The provider has just contradicted it.
    void forget_description();

    [[nodiscard]] LookUps look_ups() const noexcept { return look_ups_; }
    /// LookupRecipient, or its answer of the last minute; nullopt: not asked, since the directory
    /// gave no answer a moment ago.
    [[nodiscard]] std::optional<soap::Answer<soap::DirectoryEntry>>
    look_up(const Address &recipient);

    /// Why the provider is left alone for a while.
    [[nodiscard]] std::optional<std::string> resting() const {
        return breaker_ ? breaker_->resting() : std::nullopt;
    }

    /// After a refused login: nothing is sent until resume(), which a person calls.
    void suspend(const std::string &why);
    void resume();
    [[nodiscard]] std::optional<std::string> suspended() const;

  private:
    [[nodiscard]] soap::Answer<soap::Account> ask_description();

    const std::string name_, provider_;
    const Connect connect_;
    const std::shared_ptr<Breaker> breaker_;
    const LookUps look_ups_;
    RecipientLookups recipients_;
    std::mutex connecting_; ///< a token may take its time: what only looks must not wait for it
    std::shared_ptr<soap::Provider> wire_; ///< under connecting_
    mutable std::mutex mutex_;             ///< of all that follows
    std::optional<soap::Account> description_;
    std::chrono::steady_clock::time_point described_at_{};
    bool asking_ = false; ///< GetAccount is under way
    std::optional<std::string> suspended_;
};

} // namespace demail::relay
