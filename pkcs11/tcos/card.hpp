// A TCOS card: what is on it, its PINs, its keys. Keeps track of what is selected, so that a batch
// of signatures costs one APDU each; every loss and every status word that does not fit clears that
// knowledge. No PIN is ever tried twice here, nothing is verified unasked. A Card belongs to one
// thread at a time; every call blocks for as long as its Transport does.
#pragma once

#include "base/secret.hpp"
#include "tcos/certificate_file.hpp"
#include "tcos/exchange.hpp"
#include "tcos/profile.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace demail::tcos {

/// The card answered, but not what was asked for.
struct Refused {
    StatusWord status;
};
/// Not sent to the card at all. `why` is for people: "the PIN must have 6 to 16 characters".
struct NotPossible {
    std::string_view why;
};
struct Done {};

// What a PIN's counter says. Asking burns no try.
struct TriesLeft {
    unsigned tries = 0; ///< 1 or more
};
struct Verified {}; ///< the counter is not told while a PIN is verified
struct Blocked {};
struct NullPin {}; ///< never set: the holder sets it once in the card's life
struct StatusUnknown {
    StatusWord status;
};
using PinStatus = std::variant<TriesLeft, Verified, Blocked, NullPin, StatusUnknown, Loss>;

// What became of a PIN command.
struct WrongPin {
    std::optional<unsigned> tries_left; ///< where the card says it
};
/// `Refused` is any status word without an alternative of its own. After a Loss it is unknown
/// whether the card saw the PIN.
using PinOutcome = std::variant<Done, WrongPin, Blocked, NullPin, Refused, NotPossible, Loss>;

/// 6982 on a key: the PIN must be verified again, and only one that this card has accepted before.
struct SecurityStatusLost {};
/// What a key made, as long as the modulus.
using KeyOutcome = std::variant<Secret, SecurityStatusLost, Refused, NotPossible, Loss>;

enum class KeyOperation {
    sign_pkcs1, ///< the input is a DigestInfo; padded here or, by Way::digital_signature, there
    sign_block, ///< a whole block in the caller's padding (EMSA-PSS)
    decipher,   ///< a cryptogram; what comes back is still padded
};

struct CertificateOnCard {
    const Key *key = nullptr;
    std::uint16_t file = 0;
    std::variant<Certificate, NoCertificate> content;
};

/// A linear variable file, its records as they are (`A0 L ..`).
struct Records {
    const Directory *directory = nullptr; ///< nullptr: MF
    std::uint16_t file = 0;
    std::vector<Bytes> records;
};

/// A card that this engine cannot use, and what it is.
struct UnknownCard {
    Bytes atr;
    std::string serial; ///< where it has an EF.GDO, else empty
    std::string why;    ///< "its ATR is not known and it has no known application"
};

class Card {
  public:
    /// Reads EF.GDO and looks which known applications are there: 5 APDUs at most.
    [[nodiscard]] static std::variant<Card, UnknownCard, Loss>
    identify(std::unique_ptr<Transport> transport, Bytes atr, Trace trace = {});

    /// Goes on with a new Transport after a loss or release(). EF.GDO is read anew (2 APDUs);
    /// false: it is another card, and this object is of no more use.
    [[nodiscard]] std::variant<bool, Loss> resume(std::unique_ptr<Transport> transport);
    /// Gives the transport back, and so the card's power and every PIN that was verified; keeps
    /// what is known of the card.
    void release() noexcept;

    /// ICCSN: 20 digits (the last may be an F where the number has 19).
    [[nodiscard]] const std::string &serial() const noexcept { return serial_; }
    [[nodiscard]] const Bytes &atr() const noexcept { return atr_; }
    /// nullptr: the ATR is not in the table, the card was known by its applications alone.
    [[nodiscard]] const Atr *known_atr() const noexcept { return known_atr_; }
    [[nodiscard]] const std::vector<const Application *> &applications() const noexcept {
        return applications_;
    }
    [[nodiscard]] std::vector<const Pin *> pins() const;
    [[nodiscard]] std::vector<const Key *> keys() const;

    /// Every certificate file that exists, in the tables' order: 2 or 3 APDUs each.
    [[nodiscard]] std::variant<std::vector<CertificateOnCard>, Loss> certificates();
    /// EF_KEYD and EF_PWDD, for a report.
    [[nodiscard]] std::variant<std::vector<Records>, Loss> records();

    /// Without trying any PIN; where the card does not say it (unconfirmed for TCOS 3), from its
    /// EF_PWDD.
    [[nodiscard]] PinStatus pin_status(const Pin &pin);
    /// Exactly one VERIFY.
    [[nodiscard]] PinOutcome verify(const Pin &pin, const Secret &value);
    /// Verifies `current` first; what follows only when that was right.
    [[nodiscard]] PinOutcome change(const Pin &pin, const Secret &current, const Secret &fresh);
    /// Verifies `other` as pin.unblocked_by, then sets the counter back. The PIN stays what it was.
    [[nodiscard]] PinOutcome unblock(const Pin &pin, const Secret &other);
    /// Once in a card's life. NotPossible where the status is not NullPin.
    [[nodiscard]] PinOutcome set_null_pin(const Pin &pin, const Secret &fresh);

    /// `modulus_bits` as its certificate says. Refused and NotPossible are final for this input;
    /// a signature's correctness is for the caller to check.
    [[nodiscard]] KeyOutcome operate(const Key &key, KeyOperation operation, View input,
                                     std::size_t modulus_bits);

    /// APDUs sent since this object was made.
    [[nodiscard]] std::uint64_t apdus() const noexcept { return exchange_.apdus(); }

  private:
    using Step = std::variant<Done, Refused, Loss>;

    Card(Bytes atr, Trace trace);
    void forget() noexcept;
    [[nodiscard]] Generation generation() const noexcept;

    Step send(const Command &command);
    Step select(std::uint8_t how, View name);
    Step enter(const Directory &directory);
    Step enter_for(const Pin &pin);
    std::variant<std::string, UnknownCard, Loss> read_serial();
    std::optional<Loss> find_applications(Generation generation);

    std::variant<Bytes, NoCertificate, Loss> read_certificate_file();
    std::variant<Bytes, Refused, Loss> read_part(std::size_t offset, std::size_t size);
    std::variant<std::vector<Bytes>, Loss> read_records(const Directory *directory,
                                                        std::uint16_t file);

    std::optional<PinStatus> status_from_record(const Pin &pin);
    PinOutcome send_pin(const Command &command);

    Step choose(const Key &key);
    KeyOutcome try_once(const Key &key, const Command &command, std::size_t size);

    Exchange exchange_;
    Bytes atr_;
    const Atr *known_atr_ = nullptr;
    std::string serial_;
    std::vector<const Application *> applications_;
    // What this object has selected since the last loss; nullptr: not known.
    const Directory *selected_ = nullptr;
    const Key *chosen_ = nullptr;
};

} // namespace demail::tcos
