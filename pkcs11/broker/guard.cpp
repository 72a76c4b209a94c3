#include "broker/guard.hpp"

#include <fmt/format.h>
#include <p11-kit/pkcs11.h>

namespace demail::broker {
namespace {

std::string tries(int count) {
    if (count < 0) return "an unknown number of tries is";
    return count == 1 ? "1 try is" : fmt::format("{} tries are", count);
}

/// A verify that an earlier run began did no harm where the counter is not lower than before it.
bool harmless(const Latch &latch, const PinStand &stand) {
    return latch.state == Latch::State::trying && latch.tries > 0 &&
           (stand.tries >= latch.tries || stand.kind == PinStand::Kind::verified);
}

std::optional<Held> guard_program(const Question &question) {
    const bool other = question.asker == Asker::held && question.latch &&
                       question.latch->state == Latch::State::outdated;
    if (question.latch && !other && !harmless(*question.latch, question.stand))
        return Held{CKR_PIN_LOCKED,
                    fmt::format("{} was {}; it is not tried again before a person has run "
                                "\"{}\".",
                                question.pin, described(*question.latch), question.unlock)};
    if (question.stand.kind == PinStand::Kind::unknown || question.stand.tries < 0)
        return Held{CKR_PIN_LOCKED, fmt::format("The card does not say how many tries {} has; "
                                                "without a person it is not tried. Run \"{}\".",
                                                question.pin, question.unlock)};
    if (question.stand.tries <= question.reserve_tries)
        return Held{CKR_PIN_LOCKED,
                    fmt::format("Only {} left for {}, and {} kept for a person (reserve_tries). "
                                "Run \"{}\".",
                                tries(question.stand.tries), question.pin, question.reserve_tries,
                                question.unlock)};
    return std::nullopt;
}

} // namespace

std::optional<Held> guard(const Question &question) {
    switch (question.stand.kind) {
    case PinStand::Kind::null_pin:
        return Held{CKR_USER_PIN_NOT_INITIALIZED,
                    fmt::format("{} of this card was never set (null PIN). Nothing was tried. Set "
                                "it once with \"demailctl pin set\".",
                                question.pin)};
    case PinStand::Kind::blocked:
        return Held{CKR_PIN_LOCKED,
                    fmt::format("{} is blocked: no try is left. Nothing was tried. If the card "
                                "has a PUK: \"demailctl pin unblock\".",
                                question.pin)};
    default:
        break;
    }
    if (question.stand.tries == 0)
        return Held{CKR_PIN_LOCKED, fmt::format("{} is blocked: no try is left.", question.pin)};
    if (question.asker == Asker::program || question.asker == Asker::held)
        return guard_program(question);
    if (question.asker == Asker::person && question.stand.tries < 2)
        return Held{CKR_PIN_LOCKED,
                    fmt::format("{} left for {}; a wrong one could block it for good. Nothing was "
                                "tried. If you are sure of the PIN, say --last-try.",
                                question.stand.tries < 0 ? "It is not known how many tries are"
                                                         : "Only " + tries(question.stand.tries),
                                question.pin)};
    return std::nullopt;
}

} // namespace demail::broker
