// What an MTA says to a milter on one connection, packet by packet (libmilter/mfdef.h), and that
// with random faults in it.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace demail::test {

/// One packet: SMFIC_… and its data.
struct MilterPacket {
    char command = 0;
    std::string data;
};
using MilterScript = std::vector<MilterPacket>;

/// Each string with the NUL that ends it.
[[nodiscard]] std::string strings(std::initializer_list<std::string_view> parts);
/// The offer at the start of a connection.
[[nodiscard]] MilterPacket offer(std::uint32_t version = 6, std::uint32_t actions = 0x1ff,
                                 std::uint32_t steps = 0x1fffff);
/// Anna's De-Mail to Bob, as Postfix hands it over.
[[nodiscard]] MilterScript annas_letter();
/// A connection of some messages: De-Mails, ordinary mail, forgeries, sendmail(1), aborts.
[[nodiscard]] MilterScript random_script(std::mt19937_64 &random);
/// The packets as octets, with the script's order, packets, lengths and octets damaged here and
/// there; many stay whole.
[[nodiscard]] std::string damaged(MilterScript script, std::mt19937_64 &random);
/// Undamaged.
[[nodiscard]] std::string octets(const MilterScript &script);

} // namespace demail::test
