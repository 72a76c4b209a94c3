// What the PKCS#11 module, demailctl and demail-cardd say to each other over a Unix stream socket.
//
// A connection begins with Hello and Welcome. From then on it carries one request at a time, each
// answered by one Reply with the request's id; who wants to wait and to sign opens two connections.
// A client that hangs up has lost interest in what it asked for.
//
// A key or token is named by its card's serial and CKA_ID, never by a handle: so a name stays good
// over removal, a restart of pcscd or of the daemon.
#pragma once

#include "base/secret.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace demail::wire {

/// A CK_RV of PKCS#11 2.40. In every Reply; the sentence beside it is for people.
using Rv = std::uint64_t;
inline constexpr Rv rv_ok = 0;

/// Both sides keep to these; what goes beyond is no message.
namespace limit {
inline constexpr std::size_t reply = 64UL * 1024;  ///< payload bytes of a reply's frame
inline constexpr std::size_t request = 4UL * 1024; ///< payload bytes of a request's frame
inline constexpr std::size_t name = 64;            ///< serials, labels, models, ids, PIN names
inline constexpr std::size_t reader = 128;         ///< MAX_READERNAME of PC/SC
inline constexpr std::size_t sentence = 1024;
inline constexpr std::size_t pin = 64;
inline constexpr std::size_t input = 1024;      ///< what is signed or decrypted: RSA-8192
inline constexpr std::size_t oaep_label = 1024; ///< CK_RSA_PKCS_OAEP_PARAMS.pSourceData
inline constexpr std::size_t modulus = 1024;
inline constexpr std::size_t certificate = 8UL * 1024;
inline constexpr std::size_t tokens = 32;
inline constexpr std::size_t keys = 32;
inline constexpr std::size_t certificates = 64;
inline constexpr std::size_t pins = 16;
inline constexpr std::size_t report = 60UL * 1024; ///< text of a probe
} // namespace limit

inline constexpr std::uint16_t version = 1;

// ---- Tokens and what is on them

/// What the daemon knows of the PIN that guards the token's keys, without asking the card for it.
struct PinFlags {
    bool held = false;      ///< by the daemon, accepted by this card: C_Login(NULL) will do
    bool tries_low = false; ///< CKF_USER_PIN_COUNT_LOW: at least one try is gone
    bool final_try = false; ///< CKF_USER_PIN_FINAL_TRY
    bool locked = false;    ///< CKF_USER_PIN_LOCKED: no try left, or latched by the guard
    bool null_pin = false;  ///< CKF_USER_PIN_TO_BE_CHANGED: never set
    bool operator==(const PinFlags &) const = default;
};

/// One card that the daemon knows. It stays in the list when it is taken out (`present` false).
struct Token {
    std::uint32_t slot = 0; ///< the same for a serial as long as the daemon's state directory lives
    bool present = false;
    std::string serial; ///< all of the ICCSN; CK_TOKEN_INFO shows its last 16 characters
    std::string label;  ///< at most 32 bytes
    std::string manufacturer;
    std::string model;  ///< at most 16 bytes
    std::string reader; ///< the reader it was seen in last
    PinFlags pin;
    std::uint8_t pin_min = 0, pin_max = 0; ///< length in bytes
    bool operator==(const Token &) const = default;
};

/// An RSA key pair; the private half is on the card.
struct Key {
    std::string label; ///< demail-auth, demail-sign, demail-enc, or the card's own for other keys
    std::string id;    ///< CKA_ID, bytes; unique on the token
    std::string modulus, public_exponent; ///< big-endian, without leading zeros
    bool may_sign = false, may_decrypt = false;
    /// Its PIN is the one that Login is for, or is held by the daemon. Else programs are not shown
    /// the private half: a login would not open it.
    bool usable = true;
    bool operator==(const Key &) const = default;
};

struct Certificate {
    std::string label;
    std::string id; ///< CKA_ID, bytes: that of its key, or of no key for an authority's
    std::string der;
    bool operator==(const Certificate &) const = default;
};

// ---- Mechanisms. The daemon pads: what travels is the digest, with how it is to be signed.

enum class Hash : std::uint8_t { sha1 = 1, sha256 = 2, sha384 = 3, sha512 = 4 };

/// RSASSA-PKCS1-v1_5. With `hash` the input is the digest and the daemon writes the DigestInfo
/// (CKM_SHA256_RSA_PKCS …); without, the input goes into the block as it is (CKM_RSA_PKCS).
struct Pkcs1Signature {
    std::optional<Hash> hash;
    bool operator==(const Pkcs1Signature &) const = default;
};
/// RSASSA-PSS (RFC 8017 8.1); the input is the digest by `hash`.
struct PssSignature {
    Hash hash{}, mgf{};
    std::uint16_t salt = 0; ///< bytes
    bool operator==(const PssSignature &) const = default;
};
using SignScheme = std::variant<Pkcs1Signature, PssSignature>;

/// RSAES-PKCS1-v1_5.
struct Pkcs1Encryption {
    bool operator==(const Pkcs1Encryption &) const = default;
};
/// RSAES-OAEP (RFC 8017 7.1).
struct OaepEncryption {
    Hash hash{}, mgf{};
    std::string label; ///< bytes, mostly none
    bool operator==(const OaepEncryption &) const = default;
};
using DecryptScheme = std::variant<Pkcs1Encryption, OaepEncryption>;

// ---- Requests of programs

/// The first message on a connection.
struct Hello {
    std::uint16_t lowest = version, highest = version; ///< versions that the client speaks
};
struct ListTokens {};
struct ListObjects {
    std::string serial;
};
struct Sign {
    std::string serial, key; ///< Token::serial, Key::id
    SignScheme scheme;
    std::string input;
    std::uint32_t deadline_ms = 0; ///< from its arrival; then CKR_DEVICE_ERROR, and it is dropped
};
struct Decrypt {
    std::string serial, key;
    DecryptScheme scheme;
    std::string input;
    std::uint32_t deadline_ms = 0;
};
/// With a PIN: one VERIFY under the guard, kept by the daemon if the card accepts it. Without: is
/// the PIN held? CKR_OK; CKR_FUNCTION_CANCELED (not held, somebody has to unlock); CKR_PIN_LOCKED;
/// CKR_USER_PIN_NOT_INITIALIZED (null PIN). Never CKR_PIN_INCORRECT, which is for a PIN that was
/// tried.
struct Login {
    std::string serial;
    std::optional<Secret> pin;
};
/// This client needs the token no more. The daemon keeps the PIN: others use it.
struct Logout {
    std::string serial;
};
/// Answered as soon as the generation differs from `generation`, at the latest after the time-out.
struct WaitForChange {
    std::uint64_t generation = 0;
    std::uint32_t timeout_ms = 0; ///< at most 60 000
};

// ---- Requests of demailctl: root and group demail-admin; PinStatus and Status demail-view too.
// `serial` may be empty where exactly one card is there; `pin_name` empty: the PIN of the keys.

/// The PIN is verified and held until Lock, another card or the daemon's end; lifts the latch.
struct Unlock {
    std::string serial, pin_name;
    Secret pin;
    bool last_try = false; ///< a person knows that it is the last try and wants it
};
/// Drops the PIN and takes the power off the card. An empty serial: all cards.
struct Lock {
    std::string serial;
};
struct PinStatus {
    std::string serial;
};
/// For a PIN that was never set ("null PIN"). Once in a card's life.
struct SetPin {
    std::string serial, pin_name;
    Secret pin;
};
struct ChangePin {
    std::string serial, pin_name;
    Secret old_pin, new_pin;
    bool last_try = false;
};
/// By PUK, with or without a new PIN.
struct UnblockPin {
    std::string serial, pin_name;
    Secret puk;
    std::optional<Secret> new_pin;
    bool last_try = false;
};
/// Reads what may be read without a PIN. An empty reader: the only one with a card in it.
struct Probe {
    std::string reader;
};
struct Status {};

using Request =
    std::variant<Hello, ListTokens, ListObjects, Sign, Decrypt, Login, Logout, WaitForChange,
                 Unlock, Lock, PinStatus, SetPin, ChangePin, UnblockPin, Probe, Status>;

/// Whether a PIN or PUK is in it: it goes only to a daemon that was looked at, and only once.
[[nodiscard]] bool carries_secret(const Request &request) noexcept;

// ---- Replies

/// Nothing but the result: failures, and what has nothing else to say.
struct Done {
    bool operator==(const Done &) const = default;
};
/// To Hello.
struct Welcome {
    std::uint16_t version = wire::version;
    bool operator==(const Welcome &) const = default;
};
/// To ListTokens. `generation` changes with every card that comes or goes and whenever a field of a
/// Token or an object changes. Compare it for equality only: a daemon begins at a random number, so
/// that its restart is a change.
struct TokenList {
    std::uint64_t generation = 0;
    std::vector<Token> tokens;
    bool operator==(const TokenList &) const = default;
};
/// To ListObjects; also for a card that is away, as long as the daemon remembers it.
struct ObjectList {
    std::uint64_t generation = 0;
    std::vector<Key> keys;
    std::vector<Certificate> certificates; ///< what does not fit into a reply is left out
    bool operator==(const ObjectList &) const = default;
};
/// To WaitForChange.
struct Generation {
    std::uint64_t generation = 0;
    bool operator==(const Generation &) const = default;
};
/// To Sign.
struct Signature {
    std::string bytes;
    bool operator==(const Signature &) const = default;
};
/// To Decrypt.
struct Plaintext {
    Secret bytes;
};

enum class PinCondition : std::uint8_t {
    unknown = 0,
    usable = 1,
    low = 2,       ///< tries are gone, more than one is left
    final_try = 3, ///< one is left
    blocked = 4,
    null_pin = 5,
};
struct PinState {
    std::string name;  ///< what pin_name takes, such as "pin1", "global", "puk"
    std::string label; ///< for people
    PinCondition condition{};
    std::optional<std::uint8_t> tries_left;
    std::uint8_t pin_min = 0, pin_max = 0;
    bool guards_keys = false;   ///< the one that unlock takes when no name is given
    std::string unblocked_by;   ///< the name of the PIN whose value gives the tries back; or empty
    bool takes_new_pin = false; ///< unblocking sets a new one; else it stays what it was
    bool held = false;
    bool latched = false;   ///< the guard asks for a person
    std::string latched_by; ///< a sentence: when, by whom
    bool operator==(const PinState &) const = default;
};
/// To Unlock, Lock, PinStatus, SetPin, ChangePin, UnblockPin, whatever the result: how the PINs
/// stand now. A failure may also be answered by Done, when no card could be asked.
struct PinStates {
    std::string serial, label;
    std::vector<PinState> pins;
    bool operator==(const PinStates &) const = default;
};
/// To Probe: text for people, to be sent in by the card's owner. Never holds a PIN.
struct ProbeReport {
    std::string text;
    bool operator==(const ProbeReport &) const = default;
};

struct TokenStatus {
    Token token;
    std::string sentence; ///< what is the matter, or that nothing is
    std::uint64_t signatures = 0, failures = 0;
    std::uint64_t heals = 0; ///< resets, removals, restarts of pcscd that were survived
    std::uint32_t waiting = 0;
    bool operator==(const TokenStatus &) const = default;
};
/// To Status.
struct StatusReport {
    std::string program_version;
    std::int64_t started = 0; ///< Unix seconds
    std::uint64_t generation = 0;
    std::uint64_t audit_lines = 0;
    std::string audit_head; ///< the last line's hash, bytes
    std::vector<TokenStatus> tokens;
    bool operator==(const StatusReport &) const = default;
};

using ReplyBody = std::variant<Done, Welcome, TokenList, ObjectList, Generation, Signature,
                               Plaintext, PinStates, ProbeReport, StatusReport>;

/// The body fits the request when `rv` is CKR_OK; otherwise it is Done (or PinStates).
struct Reply {
    std::uint32_t id = 0; ///< the request's
    Rv rv = rv_ok;
    std::string sentence; ///< for people; may be empty when all went well. Never holds a PIN
    ReplyBody body;
};

} // namespace demail::wire
