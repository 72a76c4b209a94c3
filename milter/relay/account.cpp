#include "relay/account.hpp"

#include "base/log.hpp"

namespace demail::relay {

namespace {
constexpr std::chrono::minutes description_age{10};
constexpr std::chrono::minutes description_of_now_age{1};
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
        const bool young = std::chrono::steady_clock::now() - described_at_ < description_age;
        if (description_ && (young || asking_)) return *description_;
        asking_ = true;
    }
    auto answer = ask_description();
    const std::lock_guard lock(mutex_);
    asking_ = false;
    if (description_ && std::holds_alternative<soap::NoAnswer>(answer)) return *description_;
    return answer;
}

soap::Answer<soap::Account> Account::description_of_now() {
    {
        const std::lock_guard lock(mutex_);
        if (description_ &&
            std::chrono::steady_clock::now() - described_at_ < description_of_now_age)
            return *description_;
    }
    return ask_description();
}

soap::Answer<soap::Account> Account::ask_description() {
    auto wire = this->wire();
    if (auto *fault = std::get_if<soap::TokenFault>(&wire)) return *fault;
    auto answer = std::get<std::shared_ptr<soap::Provider>>(wire)->get_account();
    if (auto *account = std::get_if<soap::Account>(&answer)) {
        const std::lock_guard lock(mutex_);
        description_ = *account;
        described_at_ = std::chrono::steady_clock::now();
    }
    return answer;
}

void Account::forget_description() {
    const std::lock_guard lock(mutex_);
    description_.reset();
}

std::optional<soap::Answer<soap::DirectoryEntry>> Account::look_up(const Address &recipient) {
    if (auto known = recipients_.known(recipient)) return *std::move(known);
    if (recipients_.resting()) return std::nullopt;
    auto wire = this->wire();
    if (auto *fault = std::get_if<soap::TokenFault>(&wire)) return *fault;
    auto answer = std::get<std::shared_ptr<soap::Provider>>(wire)->look_up_recipient(recipient);
    if (const auto *entry = std::get_if<soap::DirectoryEntry>(&answer)) {
        recipients_.remember(recipient, *entry);
    } else if (const auto *none = std::get_if<soap::NoAnswer>(&answer)) {
        recipients_.rest();
        log::event(log::Level::warning, "directory",
                   {{"account", name_}, {"provider", provider_}, {"reason", none->why}});
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
