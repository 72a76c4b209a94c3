// The narrow place between the daemon and what drives a card: our own engine, or a PKCS#11 module
// in a child process. A Driver belongs to one thread, the card's, but for presence(); its calls
// block for as long as the card takes, within limits of its own.
#pragma once

#include "base/secret.hpp"
#include "broker/rsa.hpp"
#include "wire/message.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace demail::broker {

/// A PIN or PUK of a card.
struct PinFacts {
    std::string name;                        ///< for a command line: "pin1"
    std::string label;                       ///< for people
    int reference = 0;                       ///< the card's own number of it
    unsigned shortest = 0, longest = 0;      ///< bytes
    std::optional<std::size_t> unblocked_by; ///< the PUK's place in CardFacts::pins
    bool takes_new_pin = false; ///< unblocking sets a new PIN; else the PIN stays what it was
};

struct KeyFacts {
    wire::Key key;
    std::size_t pin = 0;   ///< its place in CardFacts::pins
    std::size_t place = 0; ///< the driver's own
    std::shared_ptr<const RsaPublicKey> public_key;
};

/// What a card is and has. It does not change while the card is the same.
struct CardFacts {
    std::string serial, label, manufacturer, model;
    std::vector<PinFacts> pins;
    std::vector<KeyFacts> keys;
    std::vector<wire::Certificate> certificates;
    std::size_t main_pin = 0; ///< of demail-auth, else of the first key: what unlock takes
};

using Facts = std::shared_ptr<const CardFacts>;

/// The card is not there, or was lost amid the call: opening again may help.
struct Away {
    std::string sentence;
    bool hangs = false; ///< it did not answer within the limit
};
/// It will not do it, however often it is asked.
struct Failed {
    wire::Rv rv = 0;
    std::string sentence;
};
/// The key's PIN has to be verified (again).
struct NeedsPin {};

/// What a PIN's counter says.
struct PinStand {
    enum class Kind {
        usable,   ///< `tries` are left
        verified, ///< now; the counter is not told
        blocked,
        null_pin, ///< never set
        unknown   ///< the card does not say
    };
    Kind kind = Kind::unknown;
    int tries = -1; ///< -1: not told
    /// False where `tries` is what a PKCS#11 module's flags let one suppose: it cannot tell whether
    /// a verify that was cut off has cost one.
    bool exact = true;
};

struct Accepted {};
struct WrongPin {
    int tries = -1; ///< left now; -1: not told
};
struct PinBlocked {};
/// After Away it is not known whether the card saw the PIN.
using PinAnswer = std::variant<Accepted, WrongPin, PinBlocked, Failed, Away>;

/// The reader's view, without a word to the card.
struct Presence {
    enum class Kind {
        card,
        no_card,
        no_reader,
        no_service ///< pcscd, or the module's child, is not there
    };
    Kind kind = Kind::no_service;
    std::string reader;                         ///< its name
    std::uint64_t events = 0;                   ///< another number: the card may be another one
    std::string why = "pcscd does not answer."; ///< where there is no service
    friend bool operator==(const Presence &, const Presence &) = default;
};

class Driver {
  public:
    virtual ~Driver() = default;

    /// From any thread.
    [[nodiscard]] virtual Presence presence() = 0;
    /// Called about each second: time for a driver that has to ask in order to know.
    virtual void look() {}
    /// Makes the card ours, exclusively, with power, nothing verified; tells what it is.
    [[nodiscard]] virtual std::variant<Facts, Failed, Away> open() = 0;
    /// Takes its power. Harmless when it is not open.
    virtual void close() noexcept = 0;

    /// Burns no try.
    [[nodiscard]] virtual std::variant<PinStand, Away> stand(std::size_t pin) = 0;
    /// One VERIFY, never repeated.
    [[nodiscard]] virtual PinAnswer verify(std::size_t pin, const Secret &value) = 0;
    [[nodiscard]] virtual PinAnswer change(std::size_t pin, const Secret &current,
                                           const Secret &fresh) = 0;
    [[nodiscard]] virtual PinAnswer unblock(std::size_t pin, const Secret &puk,
                                            const Secret *fresh) = 0;
    /// For a PIN that was never set.
    [[nodiscard]] virtual PinAnswer set_first(std::size_t pin, const Secret &fresh) = 0;

    [[nodiscard]] virtual std::variant<std::string, NeedsPin, Failed, Away>
    sign(const KeyFacts &key, const wire::SignScheme &scheme, const std::string &input) = 0;
    [[nodiscard]] virtual std::variant<Secret, NeedsPin, Failed, Away>
    decrypt(const KeyFacts &key, const wire::DecryptScheme &scheme, const std::string &input) = 0;

    /// What the card's owner can send in; reads only what needs no PIN.
    [[nodiscard]] virtual std::variant<std::string, Failed, Away> probe() = 0;

  protected:
    Driver() = default;
    Driver(const Driver &) = default;
    Driver &operator=(const Driver &) = default;
};

} // namespace demail::broker
