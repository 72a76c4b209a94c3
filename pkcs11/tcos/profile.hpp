// What is known of cards, as tables: a new card is a new table in profile.cpp. Constant data;
// entries are referred to by address.
#pragma once

#include "tcos/bytes.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace demail::tcos {

enum class Generation : std::uint8_t { tcos2, tcos3 };

struct Atr {
    std::string_view hex;  ///< upper case; '.' stands for any digit
    std::string_view name; ///< for people
    Generation generation;
    std::string_view unsupported = {}; ///< why it cannot be used; empty: it can
};
[[nodiscard]] std::span<const Atr> known_atrs() noexcept;
/// nullptr: unknown.
[[nodiscard]] const Atr *find_atr(View atr) noexcept;

/// A directory (DF) that holds keys: chosen by its file id below the MF, or by its AID where the id
/// is not known.
struct Directory {
    std::uint16_t file = 0; ///< 0: not known
    View aid{};
};

struct Pin {
    std::uint8_t reference = 0;
    const Directory *directory = nullptr; ///< nullptr: global
    std::uint8_t shortest = 6;
    std::uint8_t longest = 16;
    std::string_view name;             ///< as the card's papers call it
    std::string_view word;             ///< for a command line: "pin1"
    const Pin *unblocked_by = nullptr; ///< whose value sets the counter back; nullptr: none known
};

enum class KeyUse : std::uint8_t { sign, encipher, authenticate };

enum class Way : std::uint8_t {
    /// MSE, then PSO 80 86 over a block as long as the modulus.
    private_key_operation,
    /// PSO: COMPUTE DIGITAL SIGNATURE over a DigestInfo of 48 bytes at most: not even SHA-256.
    digital_signature,
};
inline constexpr std::size_t longest_digital_signature_input = 48;

struct Key {
    std::uint8_t reference = 0;
    std::uint8_t id = 0; ///< CKA_ID, as in OpenSC's PKCS#15 emulation
    const Directory *directory = nullptr;
    KeyUse use = KeyUse::sign;
    const Pin *pin = nullptr;
    Way way = Way::private_key_operation;
    std::uint16_t modulus_bits = 2048; ///< as far as known; the certificate decides
    std::string_view name;
    /// Files of its certificates below its directory, the holder's own first; 0: none.
    std::array<std::uint16_t, 4> certificates{};
};

/// One application on a card; a card may have several.
struct Application {
    std::string_view name; ///< "NetKey"
    Generation generation;
    View aid;
    const Directory *aid_directory = nullptr; ///< what choosing the AID chooses; nullptr: not known
    std::span<const Pin *const> pins;
    std::span<const Key> keys;
    /// EF_KEYD and EF_PWDD (xx/5349, xx/5049) exist.
    bool records = false;
};
[[nodiscard]] std::span<const Application> known_applications() noexcept;

} // namespace demail::tcos
