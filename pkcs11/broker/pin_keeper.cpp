#include "broker/pin_keeper.hpp"

#include "base/digest.hpp"
#include "base/log.hpp"

#include <fmt/format.h>
#include <p11-kit/pkcs11.h>

#include <algorithm>
#include <ctime>
#include <system_error>
#include <utility>

namespace demail::broker {
namespace {

std::string tries_left(int tries) {
    if (tries < 0) return "";
    if (tries == 0) return "; no try is left";
    return tries == 1 ? "; 1 try is left" : fmt::format("; {} tries are left", tries);
}

Failed cannot_latch(const std::system_error &error) {
    return {CKR_FUNCTION_FAILED,
            fmt::format("The state directory cannot be written ({}): no PIN is tried while a "
                        "refusal could not be remembered.",
                        error.what())};
}

} // namespace

bool PinKeeper::card_is(Facts facts) {
    facts_ = std::move(facts);
    verified_.clear();
    if (serial_ == facts_->serial) return false;
    const bool another = !serial_.empty();
    serial_ = facts_->serial;
    held_.clear();
    last_seen_.clear();
    return another;
}

void PinKeeper::drop_all() noexcept {
    held_.clear();
    verified_.clear();
}

bool PinKeeper::matches(std::size_t pin, const Secret &value) const {
    const auto found = held_.find(pin);
    return found != held_.end() && equal_constant_time(found->second.value.view(), value.view());
}

std::string PinKeeper::called(std::size_t pin) const {
    const PinFacts &facts = facts_->pins.at(pin);
    return fmt::format("{} ({})", facts.label, facts.name);
}

std::optional<Failed> PinKeeper::wrong_length(std::size_t pin, const Secret &value) const {
    const PinFacts &facts = facts_->pins.at(pin);
    const auto bytes = value.view();
    if (bytes.size() < facts.shortest || bytes.size() > facts.longest)
        return Failed{CKR_PIN_LEN_RANGE,
                      fmt::format("{} has {} to {} characters. Nothing was tried.", called(pin),
                                  facts.shortest, facts.longest)};
    if (std::any_of(bytes.begin(), bytes.end(), [](char c) { return c < ' ' || c == 0x7f; }))
        return Failed{CKR_PIN_INVALID,
                      fmt::format("{} consists of printable ASCII characters. Nothing was tried.",
                                  called(pin))};
    return std::nullopt;
}

std::variant<PinStand, Away> PinKeeper::fresh_stand(std::size_t pin) {
    auto stand = driver_.stand(pin);
    if (const auto *told = std::get_if<PinStand>(&stand)) {
        if (told->kind != PinStand::Kind::verified) {
            last_seen_[pin] = *told;
            return stand;
        }
        // A verified PIN hides its counter, and any value would seem to be good: without power the
        // card forgets it.
        driver_.close();
        verified_.clear();
        const auto opened = driver_.open();
        if (const auto *away = std::get_if<Away>(&opened)) return *away;
        const auto *facts = std::get_if<Facts>(&opened);
        if (facts == nullptr || (*facts)->serial != serial_)
            return Away{"another card came in between"};
        facts_ = *facts;
        stand = driver_.stand(pin);
        if (const auto *again = std::get_if<PinStand>(&stand)) last_seen_[pin] = *again;
    }
    return stand;
}

PinOutcome PinKeeper::refused(std::size_t pin, int tries, const std::string &source) {
    held_.erase(pin);
    verified_.erase(pin);
    last_seen_[pin] = {tries == 0 ? PinStand::Kind::blocked : PinStand::Kind::usable, tries};
    std::string sentence = fmt::format("The card refused {}{}.", called(pin), tries_left(tries));
    try {
        latches_.set(serial_, facts_->pins[pin].name,
                     {Latch::State::refused, facts_->pins[pin].reference, tries,
                      static_cast<long long>(std::time(nullptr)), source});
    } catch (const std::system_error &error) {
        // The one that was written before the verify is still there, and holds as well.
        log::say(log::Level::error, fmt::format("A latch cannot be renewed: {}", error.what()));
    }
    const bool blocked = tries == 0;
    return Failed{blocked ? CKR_PIN_LOCKED : CKR_PIN_INCORRECT, std::move(sentence)};
}

template <typename Send>
PinOutcome PinKeeper::guarded(std::size_t pin, Asker asker, int reserve_tries,
                              const std::string &source, Send send) {
    const PinFacts facts = facts_->pins.at(pin); // asking may open the card anew
    const auto stand = fresh_stand(pin);
    if (const auto *away = std::get_if<Away>(&stand)) return *away;
    const PinStand &told = std::get<PinStand>(stand);
    const auto latch = latches_.find(serial_, facts.name);
    if (const auto held =
            guard({called(pin), told, asker, reserve_tries, latch, "demailctl unlock"}))
        return Failed{held->rv, held->sentence};
    try {
        // Before the verify: whatever ends this process meanwhile, the next one knows of it. A
        // refusal that stands is not forgotten for a try that may never reach the card.
        if (!latch || latch->state == Latch::State::trying)
            latches_.set(serial_, facts.name,
                         {Latch::State::trying, facts.reference, told.exact ? told.tries : -1,
                          static_cast<long long>(std::time(nullptr)), source});
    } catch (const std::system_error &error) {
        return cannot_latch(error);
    }
    const PinAnswer answer = send();
    if (const auto *away = std::get_if<Away>(&answer)) return *away;
    if (const auto *failed = std::get_if<Failed>(&answer)) return *failed;
    if (const auto *wrong = std::get_if<WrongPin>(&answer))
        return refused(pin, wrong->tries, source);
    if (std::holds_alternative<PinBlocked>(answer)) return refused(pin, 0, source);
    last_seen_[pin] = {PinStand::Kind::usable, -1};
    try {
        // What is said of a PIN file stays so when the daemon uses what it holds.
        const bool of_the_file = latch && latch->state == Latch::State::outdated;
        if (asker != Asker::held || !of_the_file) latches_.clear(serial_, facts.name);
    } catch (const std::system_error &error) {
        log::say(log::Level::error, fmt::format("A latch cannot be lifted: {}", error.what()));
    }
    return Accepted{};
}

PinOutcome PinKeeper::verify(std::size_t pin, const Secret &value, Asker asker, int reserve_tries,
                             const std::string &source) {
    if (auto wrong = wrong_length(pin, value)) return *wrong;
    auto outcome =
        guarded(pin, asker, reserve_tries, source, [&] { return driver_.verify(pin, value); });
    if (std::holds_alternative<Accepted>(outcome)) {
        verified_[pin] = true;
        held_.insert_or_assign(pin, HeldPin{Secret::copy_of(value.view()), source});
    }
    return outcome;
}

PinOutcome PinKeeper::verify_again(std::size_t pin, int reserve_tries) {
    const auto found = held_.find(pin);
    if (found == held_.end())
        return Failed{CKR_USER_NOT_LOGGED_IN, fmt::format("{} is not unlocked.", called(pin))};
    auto outcome = guarded(pin, Asker::held, reserve_tries, found->second.source,
                           [&] { return driver_.verify(pin, found->second.value); });
    if (std::holds_alternative<Accepted>(outcome)) verified_[pin] = true;
    return outcome;
}

PinOutcome PinKeeper::set_first(std::size_t pin, const Secret &fresh) {
    if (auto wrong = wrong_length(pin, fresh)) return *wrong;
    const auto stand = fresh_stand(pin);
    if (const auto *away = std::get_if<Away>(&stand)) return *away;
    if (std::get<PinStand>(stand).kind != PinStand::Kind::null_pin)
        return Failed{CKR_PIN_INVALID,
                      fmt::format("{} has been set before; this can be done once in a card's life. "
                                  "Nothing was changed. Use \"demailctl pin change\".",
                                  called(pin))};
    const PinAnswer answer = driver_.set_first(pin, fresh);
    if (const auto *away = std::get_if<Away>(&answer)) return *away;
    if (const auto *failed = std::get_if<Failed>(&answer)) return *failed;
    if (!std::holds_alternative<Accepted>(answer))
        return Failed{CKR_PIN_INVALID, fmt::format("The card did not take a new {}.", called(pin))};
    last_seen_.erase(pin);
    return Accepted{};
}

PinOutcome PinKeeper::change(std::size_t pin, const Secret &current, const Secret &fresh,
                             Asker asker, const std::string &source) {
    for (const Secret *one : {&current, &fresh})
        if (auto wrong = wrong_length(pin, *one)) return *wrong;
    auto outcome =
        guarded(pin, asker, 1, source, [&] { return driver_.change(pin, current, fresh); });
    if (!std::holds_alternative<Accepted>(outcome)) return outcome;
    verified_[pin] = true;
    if (const auto held = held_.find(pin); held != held_.end())
        held->second = HeldPin{Secret::copy_of(fresh.view()), source};
    return outcome;
}

PinOutcome PinKeeper::unblock(std::size_t pin, const Secret &puk, const Secret *fresh, Asker asker,
                              const std::string &source) {
    const PinFacts facts = facts_->pins.at(pin);
    if (!facts.unblocked_by)
        return Failed{CKR_FUNCTION_NOT_SUPPORTED,
                      fmt::format("{} has no PUK: nothing gives its tries back.", called(pin))};
    if (fresh != nullptr && !facts.takes_new_pin)
        return Failed{CKR_FUNCTION_NOT_SUPPORTED,
                      fmt::format("The PUK of this card gives {} its tries back; the PIN stays "
                                  "what it was. Nothing was tried.",
                                  called(pin))};
    if (fresh == nullptr && facts.takes_new_pin)
        return Failed{CKR_PIN_INVALID, "With the PUK of this token a new PIN is set; none was "
                                       "given. Nothing was tried."};
    if (auto wrong = wrong_length(*facts.unblocked_by, puk)) return *wrong;
    if (fresh != nullptr)
        if (auto wrong = wrong_length(pin, *fresh)) return *wrong;
    auto outcome = guarded(*facts.unblocked_by, asker, 1, source,
                           [&] { return driver_.unblock(pin, puk, fresh); });
    if (std::holds_alternative<Accepted>(outcome)) last_seen_.erase(pin);
    return outcome;
}

void PinKeeper::mark_outdated(std::size_t pin, const std::string &pin_file) {
    latches_.set(serial_, facts_->pins.at(pin).name,
                 {Latch::State::outdated, facts_->pins[pin].reference, -1,
                  static_cast<long long>(std::time(nullptr)), "PIN file " + pin_file});
}

std::variant<std::vector<wire::PinState>, Away> PinKeeper::states() {
    std::vector<wire::PinState> list;
    for (std::size_t pin = 0; pin < facts_->pins.size(); ++pin) {
        const PinFacts &facts = facts_->pins[pin];
        const auto stand = driver_.stand(pin);
        if (const auto *away = std::get_if<Away>(&stand)) return *away;
        const PinStand &told = std::get<PinStand>(stand);
        wire::PinState state;
        state.name = facts.name;
        state.label = facts.label;
        state.pin_min = static_cast<std::uint8_t>(facts.shortest);
        state.pin_max = static_cast<std::uint8_t>(facts.longest);
        state.guards_keys = pin == facts_->main_pin;
        if (facts.unblocked_by) state.unblocked_by = facts_->pins[*facts.unblocked_by].name;
        state.takes_new_pin = facts.takes_new_pin;
        state.held = holds(pin);
        if (told.tries >= 0 && told.tries < 256)
            state.tries_left = static_cast<std::uint8_t>(told.tries);
        switch (told.kind) {
        case PinStand::Kind::unknown:
            state.condition = wire::PinCondition::unknown;
            break;
        case PinStand::Kind::verified:
            state.condition = wire::PinCondition::usable;
            break;
        case PinStand::Kind::blocked:
            state.condition = wire::PinCondition::blocked;
            break;
        case PinStand::Kind::null_pin:
            state.condition = wire::PinCondition::null_pin;
            break;
        case PinStand::Kind::usable:
            state.condition = told.tries == 0   ? wire::PinCondition::blocked
                              : told.tries == 1 ? wire::PinCondition::final_try
                              : told.tries == 2 ? wire::PinCondition::low
                                                : wire::PinCondition::usable;
            break;
        }
        if (const auto latch = latches_.find(serial_, facts.name)) {
            state.latched = true;
            state.latched_by = described(*latch);
        }
        if (told.kind != PinStand::Kind::verified) last_seen_[pin] = told;
        list.push_back(std::move(state));
    }
    return list;
}

wire::PinFlags PinKeeper::flags() const {
    wire::PinFlags flags;
    if (facts_ == nullptr || facts_->pins.empty()) return flags;
    const std::size_t pin = facts_->main_pin;
    flags.held = holds(pin);
    flags.locked = !flags.held && latches_.find(serial_, facts_->pins[pin].name).has_value();
    const auto seen = last_seen_.find(pin);
    if (seen == last_seen_.end()) return flags;
    const PinStand &stand = seen->second;
    flags.null_pin = stand.kind == PinStand::Kind::null_pin;
    flags.locked = flags.locked || stand.kind == PinStand::Kind::blocked || stand.tries == 0;
    flags.final_try = stand.tries == 1;
    flags.tries_low = stand.tries == 1 || stand.tries == 2;
    return flags;
}

void PinKeeper::look() {
    if (facts_ == nullptr || facts_->pins.empty() || verified(facts_->main_pin)) return;
    const auto stand = driver_.stand(facts_->main_pin);
    if (const auto *told = std::get_if<PinStand>(&stand)) last_seen_[facts_->main_pin] = *told;
}

} // namespace demail::broker
