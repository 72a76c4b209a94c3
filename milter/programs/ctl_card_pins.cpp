// unlock, lock, pin set|change|unblock: every command says what will happen to the card, then asks,
// then does it, once.
#include "daemon/exit.hpp"
#include "programs/ctl_card_daemon.hpp"
#include "programs/ctl_pin_entry.hpp"
#include "programs/ctl_screen.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace demail::ctl {
namespace {

using Condition = wire::PinCondition;

/// The card and the PIN that a command is about.
struct Subject {
    std::string serial;
    wire::PinState pin;
    std::optional<wire::PinState> unblocker;
};

/// Asks the card for its PINs, which costs no try, and shows what will be done to which card.
std::variant<Subject, ExitCode> look(CardDaemon &daemon, const CardWords &words) {
    auto asked = daemon.ask(wire::PinStatus{words.card});
    if (const auto *end = std::get_if<ExitCode>(&asked)) return *end;
    const auto &reply = std::get<wire::Reply>(asked);
    const auto *states = std::get_if<wire::PinStates>(&reply.body);
    if (reply.rv != wire::rv_ok || states == nullptr) {
        complain(reply.sentence);
        return ExitCode{exit_bad};
    }
    const wire::PinState *pin = find_pin(*states, words.pin);
    if (pin == nullptr) {
        std::string known;
        for (const wire::PinState &one : states->pins)
            known += (known.empty() ? "" : ", ") + one.name;
        complain(
            fmt::format("card {} has no PIN \"{}\"; it has: {}", states->serial, words.pin, known));
        return ExitCode{exit_bad};
    }
    tell(fmt::format("Card {} ({}), {}: {}.", states->serial, states->label, called(*pin),
                     pin->condition == Condition::null_pin  ? "never set"
                     : pin->condition == Condition::blocked ? "blocked"
                     : pin->held                            ? "unlocked"
                                                            : tries_of(*pin)));
    Subject subject{states->serial, *pin, std::nullopt};
    if (const auto *other = find_pin(*states, pin->unblocked_by);
        !pin->unblocked_by.empty() && other != nullptr)
        subject.unblocker = *other;
    return subject;
}

/// Why nothing is sent; empty: it may be.
std::string obstacle(const wire::PinState &pin, bool last_try) {
    if (pin.condition == Condition::null_pin)
        return fmt::format("{} was never set (null PIN). Nothing was tried. Set it, once in the "
                           "card's life, by \"demailctl pin set\".",
                           called(pin));
    if (pin.condition == Condition::blocked)
        return fmt::format("{} is blocked, no try is left. Nothing was tried. \"demailctl pin "
                           "unblock\" may help.",
                           called(pin));
    if ((!pin.tries_left || *pin.tries_left < 2) && !last_try)
        return fmt::format("For {} {}: a wrong one may block it for good. Nothing was tried. If "
                           "you are sure of it, say --last-try.",
                           called(pin), tries_of(pin));
    return {};
}

void warn_of_try(const wire::PinState &pin) {
    if (pin.tries_left)
        tell(fmt::format("What you enter is sent to the card once. If it is wrong, {} left, and "
                         "nothing tries it again by itself.",
                         *pin.tries_left <= 1 ? "no try is"
                         : *pin.tries_left == 2
                             ? "1 try is"
                             : fmt::format("{} tries are", *pin.tries_left - 1)));
    else
        tell("What you enter is sent to the card once. The card does not say how many tries it has "
             "left.");
    if (pin.tries_left && *pin.tries_left == 1)
        tell("THIS IS THE LAST TRY. A wrong one blocks it.");
}

int told(std::variant<wire::Reply, ExitCode> answer) {
    if (const auto *end = std::get_if<ExitCode>(&answer)) return end->code;
    const auto &reply = std::get<wire::Reply>(answer);
    if (reply.rv == wire::rv_ok) {
        tell(reply.sentence.empty() ? "Done." : reply.sentence);
        return exit_good;
    }
    complain(reply.sentence);
    return exit_bad;
}

/// The next PIN, or nullopt after the reason was said.
std::optional<Secret> enter(PinEntry &entry, const std::string &prompt, bool fresh = false) {
    auto entered = entry.next(prompt, fresh);
    if (auto *pin = std::get_if<Secret>(&entered)) return std::move(*pin);
    complain(std::get<std::string>(entered) + "; the card was not touched");
    return std::nullopt;
}

} // namespace

int unlock_card(const CardWords &words) {
    guard_process();
    CardDaemon daemon(words);
    const auto looked = look(daemon, words);
    if (const auto *end = std::get_if<ExitCode>(&looked)) return end->code;
    const auto &[serial, pin, unblocker] = std::get<Subject>(looked);
    if (pin.held) {
        tell("It is unlocked already; nothing is to be done.");
        return exit_good;
    }
    if (pin.latched)
        tell(fmt::format("A PIN was tried and is not used without you any more: {}.",
                         pin.latched_by));
    if (const std::string why = obstacle(pin, words.last_try); !why.empty()) {
        complain(why);
        return exit_bad;
    }
    warn_of_try(pin);
    tell("If it is right, demail-cardd keeps it in memory and uses the card's keys for those whom "
         "cardd.toml allows, until \"demailctl lock\" or its end.");
    PinEntry entry(words.pin_fd);
    auto entered = enter(entry, pin.label);
    if (!entered) return exit_bad;
    return told(daemon.ask(wire::Unlock{serial, pin.name, std::move(*entered), words.last_try}));
}

int lock_card(const CardWords &words) {
    CardDaemon daemon(words);
    return told(daemon.ask(wire::Lock{words.card}));
}

int set_pin(const CardWords &words) {
    guard_process();
    CardDaemon daemon(words);
    const auto looked = look(daemon, words);
    if (const auto *end = std::get_if<ExitCode>(&looked)) return end->code;
    const auto &[serial, pin, unblocker] = std::get<Subject>(looked);
    if (pin.condition != Condition::null_pin) {
        complain(fmt::format("{} has been set before; that can be done once in a card's life. "
                             "Nothing was changed. Use \"demailctl pin change\".",
                             called(pin)));
        return exit_bad;
    }
    tell(fmt::format("The card comes without a PIN. The one that you enter now, {} to {} "
                     "characters, becomes its {}. This is done once in the card's life and shows "
                     "whether anybody used the card before you: there is no way back.",
                     pin.pin_min, pin.pin_max, pin.label));
    PinEntry entry(words.pin_fd);
    auto entered = enter(entry, "New " + pin.label, true);
    if (!entered) return exit_bad;
    return told(daemon.ask(wire::SetPin{serial, pin.name, std::move(*entered)}));
}

int change_pin(const CardWords &words) {
    guard_process();
    CardDaemon daemon(words);
    const auto looked = look(daemon, words);
    if (const auto *end = std::get_if<ExitCode>(&looked)) return end->code;
    const auto &[serial, pin, unblocker] = std::get<Subject>(looked);
    // While it is held the counter is not told; the daemon asks the card again.
    const std::string why = obstacle(pin, words.last_try || pin.held);
    if (!why.empty()) {
        complain(why);
        return exit_bad;
    }
    tell(fmt::format("First the old {} is sent to the card. If it is wrong, a try is lost and "
                     "nothing is changed; if it is right, the card takes the new one, {} to {} "
                     "characters.",
                     pin.label, pin.pin_min, pin.pin_max));
    PinEntry entry(words.pin_fd);
    auto before = enter(entry, "Old " + pin.label);
    if (!before) return exit_bad;
    auto after = enter(entry, "New " + pin.label, true);
    if (!after) return exit_bad;
    return told(daemon.ask(
        wire::ChangePin{serial, pin.name, std::move(*before), std::move(*after), words.last_try}));
}

int unblock_pin(const CardWords &words) {
    guard_process();
    CardDaemon daemon(words);
    const auto looked = look(daemon, words);
    if (const auto *end = std::get_if<ExitCode>(&looked)) return end->code;
    const auto &[serial, pin, unblocker] = std::get<Subject>(looked);
    if (pin.condition == Condition::null_pin) {
        complain(obstacle(pin, words.last_try));
        return exit_bad;
    }
    if (!unblocker) {
        complain(fmt::format("nothing is known that gives {} its tries back", called(pin)));
        return exit_bad;
    }
    if (const std::string why = obstacle(*unblocker, words.last_try); !why.empty()) {
        complain(why);
        return exit_bad;
    }
    tell(fmt::format(
        "The card's {} is sent to it; {}. If it is right, {} has all its tries again{}. "
        "If it is wrong, a try of the {} is lost; when none is left, nothing gives "
        "the tries back any more.",
        called(*unblocker), tries_of(*unblocker), pin.label,
        pin.takes_new_pin ? " and is the new one that you enter" : " and stays the PIN that it was",
        unblocker->label));
    PinEntry entry(words.pin_fd);
    auto entered = enter(entry, unblocker->label);
    if (!entered) return exit_bad;
    std::optional<Secret> fresh;
    if (pin.takes_new_pin) {
        fresh = enter(entry, "New " + pin.label, true);
        if (!fresh) return exit_bad;
    }
    return told(daemon.ask(
        wire::UnblockPin{serial, pin.name, std::move(*entered), std::move(fresh), words.last_try}));
}

} // namespace demail::ctl
