// What a card's thread does where its card comes, goes, or is another one.
#include "base/certificate_time.hpp"
#include "base/log.hpp"
#include "broker/card_thread.hpp"
#include "broker/pin_file.hpp"

#include <fmt/format.h>
#include <p11-kit/pkcs11.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <utility>

namespace demail::broker {
namespace {

using namespace std::chrono_literals;

/// Long enough for a restart of pcscd and for a hand that puts a card back; after that callers are
/// told at once that there is none.
constexpr auto patience = 10s;
/// Between two looks at the certificates' ends.
constexpr auto warn_again = std::chrono::hours(1);
/// Between two attempts at a card that is there but cannot be had.
constexpr auto breath = 200ms;

/// What has happened to a card that is not the one at hand any more.
std::string sentence_of(const Presence &presence) {
    switch (presence.kind) {
    case Presence::Kind::card:
        return "The card was away, and is back.";
    case Presence::Kind::no_card:
        return "There is no card in the reader.";
    case Presence::Kind::no_reader:
        return "The reader is not there.";
    case Presence::Kind::no_service:
        return presence.why;
    }
    return "";
}

} // namespace

void CardThread::look() {
    if (rules_changed_.exchange(false)) {
        tried_unattended_ = false;
        const auto rule = facts_ ? rule_for(facts_->serial) : std::nullopt;
        if (facts_ && !rule) {
            pins_.drop_all();
            lost("The configuration does not name this card any more.");
        }
        // Opening it anew would take its power, and the PIN would have to be verified again.
        if (open_ && rule)
            rule_ = *rule;
        else
            settled_ = false;
    }
    if (Clock::now() - last_look_ >= look_again) {
        driver_->look();
        last_look_ = Clock::now();
    }
    Presence presence = driver_->presence();
    if (presence != seen_) {
        seen_ = std::move(presence);
        if (!still_ours()) {
            settled_ = false;
            tried_unattended_ = false;
            if (seen_.kind != Presence::Kind::card || open_) lost(sentence_of(seen_));
        }
    }
    if (seen_.kind == Presence::Kind::card && !settled_) {
        // Which card is it? Asked once; a card that cannot be had now is asked again.
        const auto opened = open();
        settled_ = !std::holds_alternative<Away>(opened);
        if (const auto *away = std::get_if<Away>(&opened)) remember(away->sentence);
        if (std::holds_alternative<std::monostate>(opened)) {
            pins_.look();
            unattended();
            publish();
        }
        if (!pins_.holds_any()) let_go();
    }
    if (open_ && rule_.idle > 0s && Clock::now() - last_use_ > rule_.idle) let_go();
    if (facts_ && Clock::now() - last_warning_ >= warn_again) {
        last_warning_ = Clock::now();
        warn_of_ends();
    }
}

bool CardThread::still_ours() {
    // pcscd may tell of an insertion late, when the card is open already; the card itself knows.
    return open_ && seen_.kind == Presence::Kind::card && !facts_->pins.empty() &&
           std::holds_alternative<PinStand>(driver_->stand(facts_->main_pin));
}

void CardThread::warn_of_ends() {
    const std::time_t now = std::time(nullptr);
    std::vector<KeyEnd> ends;
    for (const KeyFacts &key : facts_->keys)
        if (const auto end = end_of_key(key.key.id, facts_->certificates))
            ends.push_back({key.key.label, *end});
    for (const KeyEnd &one : end_warnings_.due(facts_->serial, std::move(ends), now)) {
        const long days = days_between(now, one.end);
        log::event(days < 8 ? log::Level::error : log::Level::warning, "certificate",
                   {{"card", facts_->serial},
                    {"key", one.label},
                    {"ends", date_text(one.end)},
                    {"text", days < 0 ? "Its certificate has ended: De-Mails wait until another "
                                        "card is used."
                                      : fmt::format("Its certificate ends in {} days: order the "
                                                    "next card (demail-cardd(8), RENEWAL).",
                                                    days)}});
    }
}

void CardThread::let_go() noexcept {
    driver_->close();
    pins_.power_lost();
    open_ = false;
}

void CardThread::lost(const std::string &why) {
    if (open_) {
        ++status_.heals;
        log::event(log::Level::notice, "card",
                   {{"card", facts_ ? facts_->serial : ""},
                    {"reader", seen_.reader},
                    {"state", "lost"},
                    {"reason", why}});
    }
    let_go();
    if (away_since_ == Clock::time_point{}) away_since_ = Clock::now();
    remember(why);
    if (facts_ && seen_.kind != Presence::Kind::card)
        shared_.catalogue.gone(facts_->serial, desk_, pins_.holds(facts_->main_pin), why);
}

std::optional<TokenRule> CardThread::rule_for(const std::string &serial) const {
    const std::lock_guard lock(mutex_);
    for (const TokenRule &rule : rules_)
        if (rule.fits_serial(serial)) return rule;
    return std::nullopt;
}

std::variant<std::monostate, Failed, Away> CardThread::open() {
    auto opened = driver_->open();
    if (auto *away = std::get_if<Away>(&opened)) return std::move(*away);
    if (auto *failed = std::get_if<Failed>(&opened)) {
        remember(failed->sentence);
        log::event(log::Level::warning, "card",
                   {{"reader", seen_.reader}, {"state", "refused"}, {"reason", failed->sentence}});
        return std::move(*failed);
    }
    open_ = true;
    last_use_ = Clock::now();
    if (auto failed = greet(std::get<Facts>(std::move(opened)))) {
        let_go();
        return *failed;
    }
    away_since_ = {};
    return std::monostate{};
}

std::optional<Failed> CardThread::greet(Facts facts) {
    const auto rule = rule_for(facts->serial);
    const bool another = facts_ && facts_->serial != facts->serial;
    if (another) {
        // Before anything is sent to the new card: what opened the old one is no business of it.
        pins_.drop_all();
        shared_.catalogue.gone(facts_->serial, desk_, false,
                               "Another card is in its reader; the PIN was dropped.");
        log::event(log::Level::notice, "card",
                   {{"card", facts->serial},
                    {"reader", seen_.reader},
                    {"state", "another"},
                    {"before", facts_->serial}});
        locked_by_person_ = false;
        tried_unattended_ = false;
        status_ = {};
    }
    if (!rule) {
        facts_ = nullptr;
        Failed failed{CKR_TOKEN_NOT_PRESENT,
                      fmt::format("Card {} in reader {} is not one that the configuration names; "
                                  "it is left alone.",
                                  facts->serial, seen_.reader)};
        remember(failed.sentence);
        log::event(log::Level::notice, "card",
                   {{"card", facts->serial}, {"reader", seen_.reader}, {"state", "not-ours"}});
        return failed;
    }
    if (!facts_ || another) last_warning_ = {};
    if (!facts_)
        log::event(log::Level::info, "card",
                   {{"card", facts->serial},
                    {"reader", seen_.reader},
                    {"state", "here"},
                    {"model", facts->model}});
    pins_.card_is(facts);
    facts_ = std::move(facts);
    rule_ = *rule;
    return std::nullopt;
}

void CardThread::unattended() {
    if (rule_.pin_file.empty() || locked_by_person_ || facts_->pins.empty() ||
        pins_.holds(facts_->main_pin) || std::exchange(tried_unattended_, true))
        return;
    const auto read = read_pin_file(rule_.pin_file);
    std::string sentence;
    if (const auto *why = std::get_if<std::string>(&read)) {
        sentence = *why;
    } else {
        const PinOutcome outcome =
            pins_.verify(facts_->main_pin, std::get<Secret>(read), Asker::program,
                         rule_.reserve_tries, "PIN file " + rule_.pin_file);
        if (const auto *failed = std::get_if<Failed>(&outcome)) sentence = failed->sentence;
        // Lost amid the verify: the next look tries again, and the guard sees what became of it.
        if (const auto *away = std::get_if<Away>(&outcome)) {
            tried_unattended_ = false;
            settled_ = false;
            lost(away->sentence);
            return;
        }
    }
    const PinFacts &pin = facts_->pins[facts_->main_pin];
    audit(nullptr, "verify", pin.name, "", "", sentence.empty() ? "ok" : sentence);
    if (sentence.empty()) {
        log::event(log::Level::notice, "card",
                   {{"card", facts_->serial}, {"state", "unlocked"}, {"by", rule_.pin_file}});
    } else {
        log::event(log::Level::error, "card",
                   {{"card", facts_->serial}, {"state", "locked"}, {"reason", sentence}});
    }
    remember(sentence);
}

std::optional<JobOutcome> CardThread::ready(const Job &job, const std::string &serial) {
    if (open_ && facts_->serial == serial) return std::nullopt;
    for (;;) {
        if (desk_->closed()) return plain_reply(CKR_DEVICE_REMOVED, "demail-cardd ends.");
        if (job.abandoned() || Clock::now() >= job.deadline)
            return plain_reply(CKR_DEVICE_ERROR, "The card did not come back within the deadline.");
        const auto route = shared_.catalogue.route(serial, {});
        if (route && route->desk != desk_) return Moved{};
        std::string why;
        seen_ = driver_->presence();
        // Where pcscd sees no card it may have lost sight of one; opening makes it look again.
        if (seen_.kind == Presence::Kind::card || seen_.kind == Presence::Kind::no_card) {
            const auto opened = open();
            if (const auto *failed = std::get_if<Failed>(&opened))
                return plain_reply(failed->rv, failed->sentence);
            if (std::holds_alternative<std::monostate>(opened)) {
                settled_ = true;
                if (!pins_.holds(facts_->main_pin)) unattended();
                publish();
                if (facts_->serial == serial && open_) return std::nullopt;
                if (open_)
                    return plain_reply(CKR_TOKEN_NOT_PRESENT, "Another card is in the reader now.");
            } else {
                why = std::get<Away>(opened).sentence;
            }
        } else {
            why = sentence_of(seen_);
        }
        if (away_since_ == Clock::time_point{}) away_since_ = Clock::now();
        if (Clock::now() - away_since_ > patience) {
            remember(why);
            return plain_reply(CKR_TOKEN_NOT_PRESENT, why);
        }
        desk_->wait_for_wake(std::min(job.deadline, Clock::now() + breath));
    }
}

} // namespace demail::broker
