#include "relay/account.hpp"

#include "base/log.hpp"

namespace demail::relay {

namespace {
constexpr std::chrono::hours description_age{1};
} // namespace

std::variant<std::shared_ptr<soap::Provider>, soap::TokenFault> Account::wire() {
    const std::lock_guard lock(connecting_);
    if (wire_) return wire_;
    try {
        auto made = connect_();
        wire_ = breaker_ ? behind(breaker_, std::move(made)) : std::move(made);
        return wire_;
    } catch (const std::exception &error) {
        log::event(log::Level::error, "card",
                   {{"account", name_}, {"result", "unavailable"}, {"reason", error.what()}});
        return soap::TokenFault{error.what()};
    }
}

soap::Answer<soap::Account> Account::description() {
    {
        const std::lock_guard lock(mutex_);
        if (description_ && std::chrono::steady_clock::now() - described_at_ < description_age)
            return *description_;
    }
    auto wire = this->wire();
    if (auto *fault = std::get_if<soap::TokenFault>(&wire)) return *fault;
    auto answer = std::get<std::shared_ptr<soap::Provider>>(wire)->get_account();
    const std::lock_guard lock(mutex_);
    if (auto *account = std::get_if<soap::Account>(&answer)) {
        description_ = *account;
        described_at_ = std::chrono::steady_clock::now();
    } else if (description_ && std::holds_alternative<soap::NoAnswer>(answer)) {
        return *description_;
    }
    return answer;
}

void Account::suspend(const std::string &why) {
    const std::lock_guard lock(mutex_);
    if (!suspended_)
        log::event(log::Level::error, "suspended",
                   {{"account", name_}, {"provider", provider_}, {"reason", why}});
    suspended_ = why;
}

void Account::resume() {
    const std::lock_guard lock(mutex_);
    suspended_.reset();
}

std::optional<std::string> Account::suspended() const {
    const std::lock_guard lock(mutex_);
    return suspended_;
}

} // namespace demail::relay
