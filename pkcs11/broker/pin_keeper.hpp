// The PINs of the card in one reader: which are held, which the card has accepted since it got its
// power, and every way of sending one to it. Each goes through the guard with a status query just
// before; each refusal is on disk before it is told. Belongs to the card's thread.
#pragma once

#include "base/secret.hpp"
#include "broker/driver.hpp"
#include "broker/guard.hpp"
#include "broker/latch.hpp"

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace demail::broker {

/// What came of an act on a PIN. `Failed` is a sentence for the one who asked; after Away it is not
/// known whether the card saw the PIN.
using PinOutcome = std::variant<Accepted, Failed, Away>;

class PinKeeper {
  public:
    PinKeeper(Driver &driver, Latches &latches) : driver_(driver), latches_(latches) {}

    /// The card that everything is about from now on, with nothing verified. Another serial than
    /// before drops all PINs; true then.
    bool card_is(Facts facts);
    /// It lost its power or was lost: nothing is verified any more, what is held stays held.
    void power_lost() noexcept { verified_.clear(); }
    void drop_all() noexcept;

    [[nodiscard]] bool holds(std::size_t pin) const { return held_.contains(pin); }
    [[nodiscard]] bool holds_any() const noexcept { return !held_.empty(); }
    [[nodiscard]] bool verified(std::size_t pin) const { return verified_.contains(pin); }
    /// 6982: the card has forgotten it.
    void forget_verified(std::size_t pin) { verified_.erase(pin); }
    /// Compares with the held PIN, in constant time; false where none is held.
    [[nodiscard]] bool matches(std::size_t pin, const Secret &value) const;

    /// One verify, if the guard lets it; held from then on. `source` goes into the latch.
    [[nodiscard]] PinOutcome verify(std::size_t pin, const Secret &value, Asker asker,
                                    int reserve_tries, const std::string &source);
    /// The held PIN again, which this card has accepted before.
    [[nodiscard]] PinOutcome verify_again(std::size_t pin, int reserve_tries);

    [[nodiscard]] PinOutcome set_first(std::size_t pin, const Secret &fresh);
    [[nodiscard]] PinOutcome change(std::size_t pin, const Secret &current, const Secret &fresh,
                                    Asker asker, const std::string &source);
    [[nodiscard]] PinOutcome unblock(std::size_t pin, const Secret &puk, const Secret *fresh,
                                     Asker asker, const std::string &source);
    /// The PIN file holds an older PIN: not tried before a person has unlocked. Throws
    /// std::system_error.
    void mark_outdated(std::size_t pin, const std::string &pin_file);

    /// How each PIN stands, asked from the card.
    [[nodiscard]] std::variant<std::vector<wire::PinState>, Away> states();
    /// The main PIN's, as far as known without asking again.
    [[nodiscard]] wire::PinFlags flags() const;
    /// Asks the card for the main PIN's counter, for flags().
    void look();

  private:
    /// What the card says now; a PIN that is verified behind our back is unverified first.
    [[nodiscard]] std::variant<PinStand, Away> fresh_stand(std::size_t pin);
    [[nodiscard]] std::optional<Failed> wrong_length(std::size_t pin, const Secret &value) const;
    [[nodiscard]] std::string called(std::size_t pin) const;
    /// Guard, latch, `send`, latch again.
    template <typename Send>
    [[nodiscard]] PinOutcome guarded(std::size_t pin, Asker asker, int reserve_tries,
                                     const std::string &source, Send send);
    [[nodiscard]] PinOutcome refused(std::size_t pin, int tries, const std::string &source);

    Driver &driver_;
    Latches &latches_;
    Facts facts_;
    std::string serial_;
    struct HeldPin {
        Secret value;
        std::string source;
    };
    std::map<std::size_t, HeldPin> held_;
    std::map<std::size_t, bool> verified_;
    std::map<std::size_t, PinStand> last_seen_;
};

} // namespace demail::broker
