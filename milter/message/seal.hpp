// The seal (contracts.md, "The seal"): this message, this sender, these recipients, these options,
// once. Made by the milter, checked by the relay. Pure but for the random source; thread-safe.
#pragma once

#include "base/digest.hpp"
#include "message/address.hpp"
#include "message/header.hpp"
#include "message/options.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace demail {

inline constexpr std::string_view seal_field = "Demail-Seal";

/// The seal's `n`: the identity of one hand-over.
using Nonce = std::array<unsigned char, 16>;

/// One line of the key file with its sub-keys (HKDF-SHA-256, info "demail-gateway " + label).
class SealKey {
  public:
    SealKey(std::string id, std::string_view secret);

    [[nodiscard]] const std::string &id() const noexcept { return id_; }
    /// `h`
    [[nodiscard]] Digest256 mac(std::string_view bytes) const;
    /// One element of `r`: HMAC(tag key, n ‖ address in normal form), first 64 bits, base64url.
    [[nodiscard]] std::string recipient_tag(const Nonce &n, const Address &recipient) const;
    /// The first 40 hex digits of HMAC(private-id key, n ‖ class).
    [[nodiscard]] std::string private_id_digits(const Nonce &n,
                                                std::string_view submission_class) const;

  private:
    std::string id_;
    Digest256 seal_, tag_, private_id_;
};

/// The keys of a host: the first seals, all are accepted.
class SealKeys {
  public:
    /// Reads the key file's text: lines "ID 64-hex-digits", "#" comments and empty lines. A string
    /// is the fault, one sentence with the line number.
    static std::variant<SealKeys, std::string> parse(std::string_view text);
    [[nodiscard]] const SealKey &sealing() const noexcept { return keys_.front(); }
    [[nodiscard]] const SealKey *find(std::string_view id) const noexcept;

  private:
    std::vector<SealKey> keys_;
};

/// The digest `d` over From, Sender, Reply-To, To, Cc, Subject, Date, Message-ID of the top header
/// block.
[[nodiscard]] Digest256 sealed_fields_digest(const HeaderFields &fields);

struct Seal {
    std::int64_t time = 0;         ///< `t`, Unix seconds
    Nonce n{};                     ///< `n`
    std::string account;           ///< `a`
    Address sender;                ///< `s`, the De-Mail sender
    std::string envelope_sender;   ///< `e`, as the milter saw it, without angle brackets
    OptionSet options;             ///< `o`
    std::vector<std::string> tags; ///< `r`, sorted, with padding
    Digest256 fields{};            ///< `d`
    Digest256 body{};              ///< `b`

    [[nodiscard]] bool covers(const SealKey &key, const Address &recipient) const;
};

/// Fresh random n.
[[nodiscard]] Nonce new_nonce();
/// Tags for the recipients, padded with random ones to 4, 16, 64, 256 … and sorted.
[[nodiscard]] std::vector<std::string> recipient_tags(const SealKey &key, const Nonce &n,
                                                      const std::vector<Address> &recipients);

/// The field's value, folded with `line_end` + TAB, blank, TAB so that no line passes 998 octets
/// (most pass 78 only when a tag is longer than that). Starts with a blank. libmilter takes "\n", a
/// message
/// "\r\n".
[[nodiscard]] std::string write_seal(const Seal &seal, const SealKey &key,
                                     std::string_view line_end = "\n");

/// Why a seal does not hold. contracts.md: `unknown_key` is 4.7.0, `malformed` and `forged` 5.7.0.
enum class SealFault { malformed, unknown_key, forged };

/// A seal whose `h` has been checked, with the key that made it (a pointer into `keys`).
struct CheckedSeal {
    Seal seal;
    const SealKey *key;
};
/// Parses and checks `h`; not the time, the digests or the recipients. Never throws on input.
/// Values over 1 MiB are malformed.
[[nodiscard]] std::variant<CheckedSeal, SealFault> read_seal(std::string_view value,
                                                             const SealKeys &keys);

} // namespace demail
