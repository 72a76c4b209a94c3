#include "relay/breaker.hpp"

#include "base/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

namespace demail::relay {

std::optional<std::string> Breaker::why_not() const {
    const auto now = clock_();
    if (rest_.count() == 0 || (now >= until_ && !trying_)) return std::nullopt;
    if (now >= until_) return "Another request is trying whether it answers again.";
    const auto left = std::chrono::ceil<std::chrono::seconds>(until_ - now);
    return fmt::format("It has not answered {} times in a row and is asked again in {} s. {}",
                       failures_, left.count(), last_);
}

std::optional<std::string> Breaker::resting() const {
    const std::lock_guard lock(mutex_);
    return why_not();
}

std::optional<std::string> Breaker::begin() {
    const std::lock_guard lock(mutex_);
    auto why = why_not();
    if (!why && rest_.count() > 0) trying_ = true;
    return why;
}

void Breaker::answered() {
    const std::lock_guard lock(mutex_);
    if (rest_.count() > 0)
        log::event(log::Level::notice, "provider", {{"provider", provider_}, {"state", "answers"}});
    failures_ = 0;
    rest_ = std::chrono::seconds(0);
    trying_ = false;
}

void Breaker::failed(const std::string &why) {
    const std::lock_guard lock(mutex_);
    last_ = why;
    const auto now = clock_();
    if (failures_++ == 0) first_failure_ = now;
    if (failures_ < failures_allowed || now - first_failure_ < patience_) return;
    // Of those that went out together only the first makes it rest.
    if (rest_.count() > 0 && !trying_) return;
    rest_ = rest_.count() == 0 ? first_rest : std::min(2 * rest_, longest_rest);
    until_ = now + rest_;
    trying_ = false;
    log::event(log::Level::warning, "provider",
               {{"provider", provider_},
                {"state", "rests"},
                {"seconds", std::to_string(rest_.count())},
                {"reason", why}});
}

void Breaker::not_asked() {
    const std::lock_guard lock(mutex_);
    trying_ = false;
}

namespace {

class Behind final : public soap::Provider {
  public:
    Behind(std::shared_ptr<Breaker> breaker, std::unique_ptr<soap::Provider> provider)
        : breaker_(std::move(breaker)), provider_(std::move(provider)) {}

    soap::Answer<soap::Account> get_account() override {
        return ask<soap::Account>([&] { return provider_->get_account(); });
    }
    soap::Answer<soap::Domains> get_domains(const std::optional<std::string> &version) override {
        return ask<soap::Domains>([&] { return provider_->get_domains(version); });
    }
    soap::Answer<soap::DirectoryEntry> look_up_recipient(const Address &address) override {
        return ask<soap::DirectoryEntry>([&] { return provider_->look_up_recipient(address); });
    }
    soap::Answer<soap::Submitted> submit(const soap::Submission &submission) override {
        return ask<soap::Submitted>([&] { return provider_->submit(submission); });
    }
    soap::Answer<soap::Found> find_submission(const std::string &private_id,
                                              soap::Exchange *exchange) override {
        return ask<soap::Found>([&] { return provider_->find_submission(private_id, exchange); });
    }
    soap::Answer<soap::Message> fetch_message(const std::string &id, int file) override {
        return ask<soap::Message>([&] { return provider_->fetch_message(id, file); });
    }

  private:
    template <typename Reply, typename Request>
    soap::Answer<Reply> ask(Request request) {
        if (auto why = breaker_->begin()) return soap::NotSent{*std::move(why)};
        soap::Answer<Reply> answer = request();
        if (const auto *nothing = std::get_if<soap::NoAnswer>(&answer))
            breaker_->failed(nothing->why);
        else if (const auto *not_sent = std::get_if<soap::NotSent>(&answer))
            // A refused login suspends the account: a person must act.
            not_sent->login_refused ? breaker_->not_asked() : breaker_->failed(not_sent->why);
        else if (std::holds_alternative<soap::TokenFault>(answer))
            breaker_->not_asked();
        else
            breaker_->answered();
        return answer;
    }

    std::shared_ptr<Breaker> breaker_;
    std::unique_ptr<soap::Provider> provider_;
};

} // namespace

std::unique_ptr<soap::Provider> behind(std::shared_ptr<Breaker> breaker,
                                       std::unique_ptr<soap::Provider> provider) {
    return std::make_unique<Behind>(std::move(breaker), std::move(provider));
}

} // namespace demail::relay
