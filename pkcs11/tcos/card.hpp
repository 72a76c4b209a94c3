// A TCOS card: what is on it, its PINs, its keys. Keeps track of what is selected, so that a batch
// of signatures costs one APDU each; every loss and every status word that does not fit clears that
// knowledge. No PIN is ever tried twice here, nothing is verified unasked. A Card belongs to one
// thread at a time; every call blocks for as long as its Transport does.
#pragma once

#include "base/secret.hpp"
#include "tcos/apdu.hpp"
#include "tcos/certificate_file.hpp"
#include "tcos/profile.hpp"
#include "tcos/transport.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace demail::tcos {

/// The card answered, but not what was asked for.
struct Refused {
    StatusWord status;
};
/// 6982 on a key: the PIN must be verified again, and only one that this card has accepted before.
struct SecurityStatusLost {};

// What a PIN's counter says. Asking burns no try.
struct TriesLeft {
    unsigned tries = 0;
};
struct Verified {};
struct Blocked {};
struct NullPin {}; ///< never set: the holder sets it once in the card's life
struct StatusUnknown {
    StatusWord status;
};
using PinStatus = std::variant<TriesLeft, Verified, Blocked, NullPin, StatusUnknown, Loss>;

// What became of a PIN command.
struct Done {};
struct WrongPin {
    std::optional<unsigned> tries_left; ///< where the card says it
};
/// `Refused` is any other status word. After a Loss it is unknown whether the card saw the PIN.
using PinOutcome = std::variant<Done, WrongPin, Blocked, NullPin, Refused, Loss>;

/// A result of a key: as long as the modulus. What a key deciphered is a secret.
using KeyOutcome = std::variant<Secret, SecurityStatusLost, Refused, Loss>;

enum class KeyOperation {
    sign_pkcs1, ///< the input is a DigestInfo (of any digest); padded here or by the card
    sign_block, ///< a whole block of the caller's padding (EMSA-PSS)
    decipher,   ///< a cryptogram; what comes back is still padded
};

struct CertificateOnCard {
    const Key *key = nullptr;
    std::uint16_t file = 0;
    std::variant<Certificate, NoCertificate> content;
};

/// The number of a linear variable file, records as they are (`A0 L …`).
struct Records {
    const Directory *directory = nullptr; ///< nullptr: MF
    std::uint16_t file = 0;
    std::vector<Bytes> records;
};

/// A card that this engine cannot use, and what it is.
struct UnknownCard {
    Bytes atr;
    std::string iccsn; ///< where it has an EF.GDO, else empty
    std::string why;   ///< a sentence
};

class Card {
  public:
    using Trace = std::function<void(std::string_view apdu, std::string_view outcome)>;

    /// Reads EF.GDO and looks which known applications are there. `trace` is given each APDU's
    /// description() and what came back: never a PIN, nor what a key made.
    [[nodiscard]] static std::variant<Card, UnknownCard, Refused, Loss>
    identify(std::unique_ptr<Transport> transport, Bytes atr, Trace trace = {});

    /// After a loss: goes on with a new Transport. EF.GDO is read anew; false: another card, and
    /// this object is of no more use.
    [[nodiscard]] std::variant<bool, Refused, Loss> resume(std::unique_ptr<Transport> transport);
    /// Gives the transport back (and so the card's power) and keeps what is known of the card.
    void release() noexcept;

    /// ICCSN, decimal digits as in EF.GDO: 20 of them.
    [[nodiscard]] const std::string &serial() const noexcept { return serial_; }
    [[nodiscard]] const Bytes &atr() const noexcept { return atr_; }
    /// nullptr: the ATR is not in the table, the card was known by its applications alone.
    [[nodiscard]] const Atr *known_atr() const noexcept { return known_atr_; }
    [[nodiscard]] const std::vector<const Application *> &applications() const noexcept {
        return applications_;
    }
    [[nodiscard]] std::vector<const Pin *> pins() const;
    [[nodiscard]] std::vector<const Key *> keys() const;

    /// Every certificate file that exists, in the tables' order.
    [[nodiscard]] std::variant<std::vector<CertificateOnCard>, Loss> certificates();
    /// EF_KEYD and EF_PWDD, for a report.
    [[nodiscard]] std::variant<std::vector<Records>, Loss> records();

    [[nodiscard]] PinStatus pin_status(const Pin &pin);
    [[nodiscard]] PinOutcome verify(const Pin &pin, const Secret &value);
    /// Verifies `current` first.
    [[nodiscard]] PinOutcome change(const Pin &pin, const Secret &current, const Secret &fresh);
    /// Verifies the PUK, then sets the counter back. The PIN stays what it was.
    [[nodiscard]] PinOutcome unblock(const Pin &pin, const Secret &puk);
    /// Once in a card's life. Refused (6985, without an APDU) where the status is not NullPin.
    [[nodiscard]] PinOutcome set_null_pin(const Pin &pin, const Secret &fresh);

    [[nodiscard]] KeyOutcome operate(const Key &key, KeyOperation operation, View input,
                                     std::size_t modulus_bits);

    /// APDUs sent since this object was made.
    [[nodiscard]] std::uint64_t apdus() const noexcept { return apdus_; }

  private:
    Card(std::unique_ptr<Transport> transport, Bytes atr, Trace trace);

    std::unique_ptr<Transport> transport_;
    Trace trace_;
    Bytes atr_;
    const Atr *known_atr_ = nullptr;
    std::string serial_;
    std::vector<const Application *> applications_;
    std::uint64_t apdus_ = 0;
};

} // namespace demail::tcos
