// Instruction and parameter bytes (ISO 7816-4, ISO 7816-8, and TCOS's own).
#pragma once

#include <cstdint>

namespace demail::tcos {

namespace ins {
inline constexpr std::uint8_t verify = 0x20;
inline constexpr std::uint8_t manage_security_environment = 0x22;
inline constexpr std::uint8_t change_reference_data = 0x24;
inline constexpr std::uint8_t perform_security_operation = 0x2a;
inline constexpr std::uint8_t reset_retry_counter = 0x2c;
inline constexpr std::uint8_t select = 0xa4;
inline constexpr std::uint8_t read_binary = 0xb0;
inline constexpr std::uint8_t read_record = 0xb2;
} // namespace ins

namespace select_p1 {
inline constexpr std::uint8_t by_aid = 0x04;
inline constexpr std::uint8_t path_from_mf = 0x08;
inline constexpr std::uint8_t path_from_current = 0x09;
} // namespace select_p1

namespace select_p2 {
inline constexpr std::uint8_t no_data = 0x0c;
} // namespace select_p2

} // namespace demail::tcos
