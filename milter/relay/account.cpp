#include "relay/account.hpp"

#include "base/log.hpp"

namespace demail::relay {

namespace {
constexpr std::chrono::minutes recipient_age{10};
constexpr std::size_t most_recipients = 10000;
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

soap::Answer<soap::Account> Account::description(std::chrono::seconds age) {
    {
        const std::lock_guard lock(mutex_);
        if (description_ && std::chrono::steady_clock::now() - described_at_ < age)
            return *description_;
    }
    auto wire = this->wire();
    if (auto *fault = std::get_if<soap::TokenFault>(&wire)) return *fault;
    auto answer = std::get<std::shared_ptr<soap::Provider>>(wire)->get_account();
    const std::lock_guard lock(mutex_);
    if (auto *account = std::get_if<soap::Account>(&answer)) {
        description_ = *account;
        described_at_ = std::chrono::steady_clock::now();
    } else if (description_ && age >= usual_age && std::holds_alternative<soap::NoAnswer>(answer)) {
        return *description_;
    }
    return answer;
}

soap::Answer<soap::KnownRecipient> Account::recipient(const Address &address,
                                                      bool needs_level_high) {
    const std::string key = address.lower();
    const auto now = std::chrono::steady_clock::now();
    {
        const std::lock_guard lock(mutex_);
        const auto known = recipients_.find(key);
        if (known != recipients_.end() && now - known->second.at < recipient_age &&
            (!needs_level_high || known->second.recipient.high_level.value_or(true)))
            return known->second.recipient;
    }
    auto wire = this->wire();
    if (auto *fault = std::get_if<soap::TokenFault>(&wire)) return *fault;
    auto answer = std::get<std::shared_ptr<soap::Provider>>(wire)->lookup_recipient(address);
    const auto *recipient = std::get_if<soap::KnownRecipient>(&answer);
    if (recipient == nullptr) return answer;
    const std::lock_guard lock(mutex_);
    if (recipients_.size() >= most_recipients)
        std::erase_if(recipients_,
                      [&](const auto &one) { return now - one.second.at >= recipient_age; });
    if (recipients_.size() >= most_recipients) recipients_.clear();
    if (recipient->exists)
        recipients_[key] = {*recipient, now};
    else
        recipients_.erase(key);
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
