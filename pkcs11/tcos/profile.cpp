// The tables. What they say comes from OpenSC's published behaviour (card-tcos.c, pkcs15-tcos.c,
// netkey-tool.c); what no real card has confirmed to us says so.
#include "tcos/profile.hpp"

namespace demail::tcos {
namespace {

constexpr Atr atrs[] = {
    {"3BBA13008131865D0064050A0201318090008B", "TCOS 2 (Infineon SLE44)", Generation::tcos2},
    {"3BBA14008131865D0064051402023180900091", "TCOS 2 (Infineon SLE66S)", Generation::tcos2},
    {"3BBA96008131865D0064056002033180900066", "TCOS 2 (Infineon SLE66CX320P)", Generation::tcos2},
    {"3BBA96008131865D0064057B0203318090007D", "TCOS 2 (Infineon SLE66CX322P)", Generation::tcos2},
    {"3BBF96008131FE5D00640411030131C073F701D00090007D", "TCOS 3 (Philips P5CT072)",
     Generation::tcos3},
    {"3BBF96008131FE5D00640411040F31C073F701D000900074", "TCOS 3 (Philips P5CT072, DATEV)",
     Generation::tcos3},
    {"3BBFB6008131FE5D00640428030231C073F701D000900067", "TCOS 3 (Philips P5CT080)",
     Generation::tcos3},
    // OpenSC #712.
    {"3B9F968131FE9D006405A0030431C073F701D000900028", "TCOS 3.0 Signature Card V2.0",
     Generation::tcos3, "its keys are elliptic curves, and how it is used is not published"},
};

constexpr unsigned char netkey_aid[] = {0xd2, 0x76, 0x00, 0x00, 0x03, 0x01, 0x02};
constexpr unsigned char idkey_aid[] = {0xd2, 0x76, 0x00, 0x00, 0x03, 0x0c, 0x01};
constexpr unsigned char sigg_aid[] = {0xd2, 0x76, 0x00, 0x00, 0x66, 0x01};

constexpr Directory netkey_df{0xdf01, {}};
constexpr Directory idkey_df7{0xdf07, {}};
constexpr Directory idkey_df8{0xdf08, {}};
constexpr Directory sigg_df{0, sigg_aid};

// Which PIN sets back which counter: netkey-tool(1).
constexpr Pin puk{0x01, nullptr, 8, 16, "global PUK", "puk", nullptr};
constexpr Pin global_pin{0x00, nullptr, 6, 16, "global PIN", "pin", &puk};
constexpr Pin netkey3_pin1{0x81, &netkey_df, 6, 16, "NetKey PIN1", "pin1", &global_pin};
constexpr Pin netkey3_pin2{0x83, &netkey_df, 6, 16, "NetKey PIN2", "pin2", &global_pin};
constexpr Pin netkey2_pin0{0x80, &netkey_df, 6, 16, "NetKey PIN0", "pin0", &global_pin};
constexpr Pin netkey2_pin1{0x81, &netkey_df, 6, 16, "NetKey PIN1", "pin1", &global_pin};
constexpr Pin sigg_pin{0x81, &sigg_df, 6, 16, "SigG PIN", "sigg-pin", nullptr};
constexpr Pin sigg_pin2{0x83, &sigg_df, 8, 16, "SigG PIN2", "sigg-pin2", nullptr};

constexpr const Pin *netkey3_pins[] = {&global_pin, &puk, &netkey3_pin1, &netkey3_pin2};
constexpr const Pin *netkey2_pins[] = {&global_pin, &puk, &netkey2_pin0, &netkey2_pin1};
constexpr const Pin *idkey_pins[] = {&global_pin, &puk};
constexpr const Pin *sigg3_pins[] = {&sigg_pin, &sigg_pin2};
constexpr const Pin *sigg2_pins[] = {&sigg_pin};

constexpr auto cds = Way::digital_signature;
constexpr auto raw = Way::private_key_operation;

constexpr Key netkey3_keys[] = {
    {0x80,
     0x45,
     &netkey_df,
     KeyUse::sign,
     &netkey3_pin1,
     cds,
     2048,
     "signature key",
     {0x4331, 0x4332, 0xc000}},
    {0x81,
     0x46,
     &netkey_df,
     KeyUse::encipher,
     &netkey3_pin2,
     raw,
     2048,
     "encryption key",
     {0x43b1, 0x43b2, 0xc200}},
    {0x82,
     0x47,
     &netkey_df,
     KeyUse::authenticate,
     &netkey3_pin2,
     raw,
     2048,
     "authentication key",
     {0x4371, 0x4372, 0xc500}},
    {0x83, 0x48, &netkey_df, KeyUse::encipher, &netkey3_pin2, raw, 1024, "1024 bit key", {0xc201}},
};
constexpr Key netkey2_keys[] = {
    {0x80,
     0x45,
     &netkey_df,
     KeyUse::sign,
     &netkey2_pin1,
     cds,
     1024,
     "signature key",
     {0x4331, 0x4332, 0xc000}},
    {0x81,
     0x46,
     &netkey_df,
     KeyUse::encipher,
     &netkey2_pin0,
     raw,
     1024,
     "encryption key",
     {0x43b1, 0x43b2, 0xc200}},
    {0x82,
     0x47,
     &netkey_df,
     KeyUse::authenticate,
     &netkey2_pin0,
     raw,
     1024,
     "authentication key",
     {0x4371, 0x4372, 0xc100}},
};
// OpenSC pairs the certificates of DF07 with the ids 45 to 47 and those of DF08 with 4B to 4D. What
// the keys are for only their certificates say.
constexpr Key idkey_keys[] = {
    {0x84, 0x45, &idkey_df7, KeyUse::sign, &global_pin, raw, 2048, "IDKey1", {0x4331}},
    {0x85, 0x46, &idkey_df7, KeyUse::sign, &global_pin, raw, 2048, "IDKey2", {0x4332}},
    {0x86, 0x47, &idkey_df7, KeyUse::sign, &global_pin, raw, 2048, "IDKey3", {0x4333}},
    {0x87, 0x48, &idkey_df7, KeyUse::sign, &global_pin, raw, 2048, "IDKey4", {}},
    {0x88, 0x49, &idkey_df7, KeyUse::sign, &global_pin, raw, 2048, "IDKey5", {}},
    {0x89, 0x4a, &idkey_df7, KeyUse::sign, &global_pin, raw, 2048, "IDKey6", {}},
    {0x81, 0x4b, &idkey_df8, KeyUse::encipher, &global_pin, raw, 2048, "IDKey7", {0x4331}},
    {0x82, 0x4c, &idkey_df8, KeyUse::encipher, &global_pin, raw, 2048, "IDKey8", {0x4332}},
    {0x83, 0x4d, &idkey_df8, KeyUse::encipher, &global_pin, raw, 2048, "IDKey9", {0x4333}},
};
constexpr Key sigg3_keys[] = {
    {0x84,
     0x49,
     &sigg_df,
     KeyUse::sign,
     &sigg_pin,
     raw,
     2048,
     "SigG key",
     {0xc000, 0x4331, 0x4332}},
};
constexpr Key sigg2_keys[] = {
    {0x80,
     0x49,
     &sigg_df,
     KeyUse::sign,
     &sigg_pin,
     cds,
     1024,
     "SigG key",
     {0xc000, 0x4331, 0x4332}},
};

constexpr Application applications[] = {
    {"NetKey", Generation::tcos3, netkey_aid, &netkey_df, netkey3_pins, netkey3_keys, true},
    {"IDKey", Generation::tcos3, idkey_aid, nullptr, idkey_pins, idkey_keys, true},
    {"SigG", Generation::tcos3, sigg_aid, &sigg_df, sigg3_pins, sigg3_keys, true},
    {"NetKey", Generation::tcos2, netkey_aid, &netkey_df, netkey2_pins, netkey2_keys, false},
    {"SigG", Generation::tcos2, sigg_aid, &sigg_df, sigg2_pins, sigg2_keys, false},
};

bool fits(std::string_view pattern, View atr) noexcept {
    constexpr std::string_view digits = "0123456789ABCDEF";
    if (pattern.size() != atr.size() * 2) return false;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const unsigned nibble = i % 2 == 0 ? atr[i / 2] >> 4U : atr[i / 2] & 15U;
        if (pattern[i] != '.' && pattern[i] != digits[nibble]) return false;
    }
    return true;
}

} // namespace

std::span<const Atr> known_atrs() noexcept {
    return atrs;
}

const Atr *find_atr(View atr) noexcept {
    for (const Atr &known : atrs)
        if (fits(known.hex, atr)) return &known;
    return nullptr;
}

std::span<const Application> known_applications() noexcept {
    return applications;
}

} // namespace demail::tcos
