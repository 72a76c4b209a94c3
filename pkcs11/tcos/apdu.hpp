// Command and response APDUs (ISO 7816-3 12.1, ISO 7816-4 5.1). Pure, thread-safe.
#pragma once

#include "tcos/bytes.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace demail::tcos {

/// SW1 SW2.
struct StatusWord {
    std::uint16_t value = 0;

    [[nodiscard]] bool good() const noexcept { return value == 0x9000; }
    [[nodiscard]] unsigned sw1() const noexcept { return value >> 8U; }
    [[nodiscard]] unsigned sw2() const noexcept { return value & 0xffU; }
    friend bool operator==(StatusWord, StatusWord) = default;
};

/// Four digits and, where ISO 7816-4 or TCOS gives it one, the meaning: "6A82, file not found".
[[nodiscard]] std::string text(StatusWord status);

/// A command APDU. `data` is looked at, not owned.
struct Command {
    std::uint8_t cla = 0;
    std::uint8_t ins = 0;
    std::uint8_t p1 = 0;
    std::uint8_t p2 = 0;
    View data{};
    std::size_t expected = 0; ///< Ne, bytes; 0: no Le field
};

/// Far above what a card has: an RSA-4096 operation needs 513 bytes, a certificate file 4 KiB.
inline constexpr std::size_t longest_data = 2048;
inline constexpr std::size_t longest_expected = 8192;
inline constexpr std::size_t longest_command = 4 + 3 + longest_data + 2;
inline constexpr std::size_t longest_answer = longest_expected + 2;

/// Writes the command to `out`, in short form where 255 bytes of data and 256 expected suffice;
/// its size. nullopt where a limit is passed or `out` is too small.
[[nodiscard]] std::optional<std::size_t> encode(const Command &command,
                                                std::span<unsigned char> out) noexcept;

/// An answer taken apart.
struct Response {
    View data;
    StatusWord status;
};
/// nullopt for fewer than two bytes.
[[nodiscard]] std::optional<Response> parse_response(View answer) noexcept;

/// For a log: the header and, of the few commands that choose and read, the data ("00 A4 08 0C DF
/// 01"); of every other command not even its length, which would be a PIN's. `command` is what
/// encode() wrote, or any bytes.
[[nodiscard]] std::string description(View command);

} // namespace demail::tcos
