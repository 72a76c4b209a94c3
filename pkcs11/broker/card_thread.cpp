#include "broker/card_thread.hpp"

#include "base/digest.hpp"
#include "base/log.hpp"

#include <fmt/format.h>
#include <p11-kit/pkcs11.h>
#include <unistd.h>

#include <chrono>
#include <exception>
#include <utility>

namespace demail::broker {

wire::Reply plain_reply(wire::Rv rv, std::string sentence) {
    return {0, rv, std::move(sentence), wire::Done{}};
}

CardThread::CardThread(std::unique_ptr<Driver> driver, std::vector<TokenRule> rules, Shared shared)
    : driver_(std::move(driver)), shared_(shared), pins_(*driver_, shared.latches),
      rules_(std::move(rules)), away_since_(Clock::now()), thread_([this] { run(); }) {}

CardThread::~CardThread() {
    stop();
    thread_.join();
}

void CardThread::stop() {
    desk_->close();
}

void CardThread::replace_rules(std::vector<TokenRule> rules) {
    {
        const std::lock_guard lock(mutex_);
        rules_ = std::move(rules);
    }
    rules_changed_ = true;
    desk_->wake();
}

std::optional<Clock::time_point> CardThread::busy_since() const {
    const std::lock_guard lock(mutex_);
    return since_;
}

void CardThread::run() {
    const auto mark = [this](std::optional<Clock::time_point> since) {
        const std::lock_guard lock(mutex_);
        since_ = since;
    };
    while (!desk_->closed()) {
        try {
            mark(Clock::now());
            look();
            looked_ = seen_.kind != Presence::Kind::card || settled_;
            mark(std::nullopt);
            say_unsaid();
            auto job = desk_->take(Clock::now() + look_again);
            if (!job) continue;
            mark(Clock::now());
            serve(**job);
        } catch (const std::exception &error) {
            log::event(log::Level::error, "card",
                       {{"reader", seen_.reader}, {"reason", error.what()}});
        }
        mark(std::nullopt);
    }
    say_unsaid();
    pins_.drop_all();
    let_go();
    ended_ = true;
}

void CardThread::say_unsaid() {
    for (const auto &say : std::exchange(unsaid_, {}))
        say();
}

void CardThread::serve(Job &job) {
    // A request that nobody waits for, or past its deadline, does not touch the card.
    if (job.abandoned() || Clock::now() >= job.deadline) {
        job.finish(plain_reply(CKR_DEVICE_ERROR, "The request had to wait past its deadline; the "
                                                 "card was not asked."));
        return;
    }
    try {
        job.finish(outcome_of(job));
    } catch (const std::exception &error) {
        job.finish(
            plain_reply(CKR_FUNCTION_FAILED, fmt::format("demail-cardd failed: {}", error.what())));
        throw;
    }
}

JobOutcome CardThread::outcome_of(Job &job) {
    if (const auto *request = std::get_if<wire::Sign>(&job.request)) return sign(job, *request);
    if (const auto *request = std::get_if<wire::Decrypt>(&job.request))
        return decrypt(job, *request);
    if (const auto *request = std::get_if<wire::Login>(&job.request)) return login(job, *request);
    if (const auto *request = std::get_if<wire::Unlock>(&job.request)) return unlock(job, *request);
    if (std::holds_alternative<wire::Lock>(job.request)) return lock(job);
    if (const auto *request = std::get_if<wire::PinStatus>(&job.request))
        return pin_status(job, *request);
    if (const auto *request = std::get_if<wire::SetPin>(&job.request))
        return set_pin(job, *request);
    if (const auto *request = std::get_if<wire::ChangePin>(&job.request))
        return change_pin(job, *request);
    if (const auto *request = std::get_if<wire::UnblockPin>(&job.request))
        return unblock_pin(job, *request);
    if (std::holds_alternative<wire::Probe>(job.request)) return probe();
    return plain_reply(CKR_FUNCTION_NOT_SUPPORTED, "This is no request to a card.");
}

void CardThread::remember(const std::string &sentence) {
    status_.sentence = sentence;
    shared_.catalogue.update(status_);
}

void CardThread::publish() {
    if (!facts_) return;
    wire::Token &token = status_.token;
    token.present = seen_.kind == Presence::Kind::card;
    token.serial = facts_->serial;
    token.label = facts_->label;
    token.manufacturer = facts_->manufacturer;
    token.model = facts_->model;
    token.reader = seen_.reader.substr(0, wire::limit::reader);
    token.pin = pins_.flags();
    if (!facts_->pins.empty()) {
        token.pin_min = static_cast<std::uint8_t>(facts_->pins[facts_->main_pin].shortest);
        token.pin_max = static_cast<std::uint8_t>(facts_->pins[facts_->main_pin].longest);
    }
    CatalogueEntry entry{status_, {}, facts_->certificates, desk_};
    for (const KeyFacts &key : facts_->keys)
        entry.keys.emplace_back(key.key).usable =
            key.pin == facts_->main_pin || pins_.holds(key.pin);
    shared_.catalogue.publish(std::move(entry));
}

void CardThread::audit(const Job *job, const char *act, const std::string &key,
                       const std::string &mechanism, const std::string &input,
                       const std::string &result) {
    const std::string card = facts_ ? facts_->serial : "";
    const uid_t uid = job == nullptr ? ::geteuid() : job->peer.uid;
    const AuditHead head = shared_.audit.append(
        {act, uid, job == nullptr ? 0 : job->peer.pid, card, key, mechanism, input, result});
    unsaid_.emplace_back([act, card, key, uid, result, head] {
        const bool with_key = std::string_view(act) == "sign" || std::string_view(act) == "decrypt";
        log::event(log::Level::info, with_key ? "signed" : "card",
                   {{"act", act},
                    {"card", card},
                    {"key", key},
                    {"uid", std::to_string(uid)},
                    {"result", result},
                    {"audit", std::to_string(head.lines)},
                    {"head", hex(view(head.hash))}});
    });
}

} // namespace demail::broker
