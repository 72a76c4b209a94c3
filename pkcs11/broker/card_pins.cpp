// What a card's thread does with PINs, for programs that log in and for a person at demailctl.
#include "base/digest.hpp"
#include "base/log.hpp"
#include "broker/card_thread.hpp"
#include "broker/pin_file.hpp"

#include <fmt/format.h>
#include <p11-kit/pkcs11.h>

#include <exception>
#include <utility>

namespace demail::broker {
namespace {

Asker person(bool last_try) {
    return last_try ? Asker::person_last_try : Asker::person;
}

std::string person_named(const Job &job) {
    return fmt::format("demailctl, run by uid {}", job.peer.uid);
}

/// Guesses of one user that are compared with the held PIN, a minute.
constexpr unsigned guesses_per_minute = 3;

} // namespace

std::variant<std::size_t, Failed> CardThread::pin_named(const std::string &name) const {
    if (facts_->pins.empty())
        return Failed{CKR_FUNCTION_NOT_SUPPORTED, "This card has no PIN that is known."};
    if (name.empty()) return facts_->main_pin;
    std::string known;
    for (std::size_t pin = 0; pin < facts_->pins.size(); ++pin) {
        if (facts_->pins[pin].name == name) return pin;
        known += (known.empty() ? "" : ", ") + facts_->pins[pin].name;
    }
    return Failed{CKR_ARGUMENTS_BAD,
                  fmt::format("The card has no PIN \"{}\"; it has {}.", log::escaped(name), known)};
}

template <typename Act>
JobOutcome CardThread::with_pin(Job &job, const std::string &serial, const std::string &name,
                                Act act) {
    if (auto ended = ready(job, serial)) return std::move(*ended);
    const auto pin = pin_named(name);
    if (const auto *failed = std::get_if<Failed>(&pin))
        return with_states({failed->rv, failed->sentence});
    return act(std::get<std::size_t>(pin));
}

wire::Reply CardThread::with_states(Verdict verdict) {
    auto &[rv, sentence] = verdict;
    if (open_) {
        auto states = pins_.states();
        if (const auto *away = std::get_if<Away>(&states)) {
            lost(away->sentence);
        } else {
            publish();
            wire::PinStates body{facts_->serial, facts_->label,
                                 std::get<std::vector<wire::PinState>>(std::move(states))};
            if (!pins_.holds_any()) let_go();
            return {0, rv, std::move(sentence), std::move(body)};
        }
    }
    publish();
    return plain_reply(rv, std::move(sentence));
}

CardThread::Verdict CardThread::written_down(const Job &job, const char *act, std::size_t pin,
                                             const PinOutcome &outcome, std::string good) {
    const PinFacts facts = facts_->pins[pin];
    wire::Rv rv = CKR_OK;
    std::string sentence = std::move(good);
    if (const auto *failed = std::get_if<Failed>(&outcome)) {
        rv = failed->rv;
        sentence = failed->sentence;
    } else if (const auto *away = std::get_if<Away>(&outcome)) {
        rv = CKR_DEVICE_REMOVED;
        sentence = fmt::format("{} It is not known whether the card saw the PIN: look at "
                               "\"demailctl pin status\" before you try again.",
                               away->sentence);
        lost(away->sentence);
    }
    audit(&job, act, facts.name, "", "", rv == CKR_OK ? "ok" : sentence);
    remember(rv == CKR_OK ? "" : sentence);
    return {rv, std::move(sentence)};
}

JobOutcome CardThread::login(Job &job, const wire::Login &request) {
    const auto known = [&] { return facts_ && facts_->serial == request.serial; };
    const bool settled = known() && (tried_unattended_ || rule_.pin_file.empty());
    if (!request.pin && settled && !facts_->pins.empty()) {
        // The card need not be asked.
        if (pins_.holds(facts_->main_pin)) return plain_reply(CKR_OK, "");
        const wire::PinFlags flags = pins_.flags();
        return plain_reply(flags.null_pin ? CKR_USER_PIN_NOT_INITIALIZED
                           : flags.locked ? CKR_PIN_LOCKED
                                          : CKR_FUNCTION_CANCELED,
                           not_unlocked());
    }
    if (auto ended = ready(job, request.serial)) return std::move(*ended);
    const auto pin = pin_named({});
    if (const auto *failed = std::get_if<Failed>(&pin))
        return plain_reply(failed->rv, failed->sentence);
    const std::size_t main = std::get<std::size_t>(pin);
    if (pins_.holds(main)) {
        if (!request.pin) return plain_reply(CKR_OK, "");
        if (!guesses_.take(job.peer.uid, request.serial, guesses_per_minute, Clock::now()))
            return plain_reply(CKR_PIN_LOCKED, "Too many logins with a PIN a minute.");
        if (pins_.matches(main, *request.pin)) {
            guesses_.give_back(job.peer.uid, request.serial); // it was no guess
            return plain_reply(CKR_OK, "");
        }
        audit(&job, "login", facts_->pins[main].name, "", "", "not the PIN that is held");
        return plain_reply(CKR_PIN_INCORRECT, "This is not the PIN that the card has accepted. "
                                              "Nothing was tried.");
    }
    if (!request.pin) {
        const wire::PinFlags flags = pins_.flags();
        let_go();
        return plain_reply(flags.null_pin ? CKR_USER_PIN_NOT_INITIALIZED
                           : flags.locked ? CKR_PIN_LOCKED
                                          : CKR_FUNCTION_CANCELED,
                           not_unlocked());
    }
    if (locked_by_person_) {
        let_go();
        return plain_reply(CKR_PIN_LOCKED, not_unlocked());
    }
    const PinOutcome outcome =
        pins_.verify(main, *request.pin, Asker::program, rule_.reserve_tries,
                     fmt::format("a program's login, uid {} pid {}", job.peer.uid, job.peer.pid));
    auto [rv, sentence] = written_down(job, "login", main, outcome, "");
    publish();
    if (!pins_.holds_any()) let_go();
    return plain_reply(rv, std::move(sentence));
}

JobOutcome CardThread::unlock(Job &job, const wire::Unlock &request) {
    return with_pin(job, request.serial, request.pin_name, [&](std::size_t pin) -> JobOutcome {
        if (pins_.holds(pin)) {
            if (pins_.matches(pin, request.pin))
                return with_states({CKR_OK, "It was unlocked before."});
            return with_states({CKR_PIN_INCORRECT,
                                "It is unlocked, by another PIN than this one, which the card has "
                                "accepted. Nothing was tried. (\"demailctl lock\" drops it.)"});
        }
        const PinOutcome outcome = pins_.verify(pin, request.pin, person(request.last_try),
                                                rule_.reserve_tries, person_named(job));
        if (std::holds_alternative<Accepted>(outcome)) locked_by_person_ = false;
        return with_states(written_down(
            job, "unlock", pin, outcome,
            fmt::format("The card {} has accepted the PIN; demail-cardd holds it until "
                        "\"demailctl lock\".",
                        facts_->serial)));
    });
}

JobOutcome CardThread::lock(Job &job) {
    pins_.drop_all();
    let_go();
    locked_by_person_ = true;
    const std::string sentence =
        fmt::format("The card {} is locked and without power.", facts_ ? facts_->serial : "");
    if (facts_) audit(&job, "lock", "", "", "", "ok");
    remember("Locked by a person.");
    publish();
    return wire::Reply{
        0, CKR_OK, sentence,
        wire::PinStates{facts_ ? facts_->serial : "", facts_ ? facts_->label : "", {}}};
}

JobOutcome CardThread::pin_status(Job &job, const wire::PinStatus &request) {
    if (auto ended = ready(job, request.serial)) return std::move(*ended);
    return with_states({CKR_OK, ""});
}

JobOutcome CardThread::set_pin(Job &job, const wire::SetPin &request) {
    return with_pin(job, request.serial, request.pin_name, [&](std::size_t pin) -> JobOutcome {
        const PinOutcome outcome = pins_.set_first(pin, request.pin);
        return with_states(written_down(job, "pin-set", pin, outcome,
                                        "The PIN is set. Now run \"demailctl unlock\"."));
    });
}

JobOutcome CardThread::change_pin(Job &job, const wire::ChangePin &request) {
    return with_pin(job, request.serial, request.pin_name, [&](std::size_t pin) -> JobOutcome {
        const PinOutcome outcome = pins_.change(pin, request.old_pin, request.new_pin,
                                                person(request.last_try), person_named(job));
        std::string good = "The PIN is changed.";
        if (std::holds_alternative<Accepted>(outcome) && pin == facts_->main_pin)
            good += after_change(request.new_pin);
        return with_states(written_down(job, "pin-change", pin, outcome, std::move(good)));
    });
}

std::string CardThread::after_change(const Secret &fresh) {
    if (rule_.pin_file.empty()) return "";
    const auto read = read_pin_file(rule_.pin_file);
    const auto *old = std::get_if<Secret>(&read);
    if (old != nullptr && equal_constant_time(old->view(), fresh.view())) return "";
    // The next start would try what is in the file, and lose a try.
    try {
        pins_.mark_outdated(facts_->main_pin, rule_.pin_file);
    } catch (const std::exception &error) {
        log::say(log::Level::error, fmt::format("A latch cannot be set: {}", error.what()));
    }
    return fmt::format(" The PIN file {} does not hold the new one: it is not used before the next "
                       "\"demailctl unlock\". Write the new PIN into it first.",
                       rule_.pin_file);
}

JobOutcome CardThread::unblock_pin(Job &job, const wire::UnblockPin &request) {
    return with_pin(job, request.serial, request.pin_name, [&](std::size_t pin) -> JobOutcome {
        const PinOutcome outcome =
            pins_.unblock(pin, request.puk, request.new_pin ? &*request.new_pin : nullptr,
                          person(request.last_try), person_named(job));
        return with_states(
            written_down(job, "pin-unblock", pin, outcome, "The PIN has its tries back."));
    });
}

JobOutcome CardThread::probe() {
    auto report = driver_->probe();
    // It has selected and read behind our back.
    let_go();
    settled_ = false;
    if (const auto *failed = std::get_if<Failed>(&report))
        return plain_reply(failed->rv, failed->sentence);
    if (const auto *away = std::get_if<Away>(&report))
        return plain_reply(CKR_TOKEN_NOT_PRESENT, away->sentence);
    auto &text = std::get<std::string>(report);
    if (text.size() > wire::limit::report) text.resize(wire::limit::report);
    return wire::Reply{0, CKR_OK, "", wire::ProbeReport{std::move(text)}};
}

} // namespace demail::broker
