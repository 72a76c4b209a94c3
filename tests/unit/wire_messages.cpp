#include "wire_messages.hpp"

#include <string>
#include <utility>

namespace demail::test {
namespace {

using namespace wire;

const std::string serial = "89490173123456789012";
const std::string id("\x00\x47", 2);

template <typename... Messages>
std::vector<Request> requests(Messages &&...messages) {
    std::vector<Request> list;
    (list.emplace_back(std::forward<Messages>(messages)), ...);
    return list;
}

Token token() {
    Token token;
    token.slot = 3;
    token.present = true;
    token.serial = serial;
    token.label = "TeleSec NetKey 9012";
    token.manufacturer = "T-Systems";
    token.model = "NetKey V3";
    token.reader = "SCM Microsystems Inc. SCR 3310 00 00";
    token.pin = {true, true, false, false, false};
    token.pin_min = 6;
    token.pin_max = 16;
    return token;
}

} // namespace

std::vector<Request> sample_requests() {
    return requests(
        Hello{1, 4}, ListTokens{}, ListObjects{serial},
        Sign{serial, id, Pkcs1Signature{}, "thirty bytes of a DigestInfo..", 5000},
        Sign{serial, id, Pkcs1Signature{Hash::sha512}, std::string(64, 'd'), 0},
        Sign{serial, id, PssSignature{Hash::sha256, Hash::sha384, 32}, std::string(32, 'd'), 30000},
        Decrypt{serial, id, Pkcs1Encryption{}, std::string(256, 'c'), 1},
        Decrypt{serial, id, OaepEncryption{Hash::sha1, Hash::sha1, "label"}, std::string(128, 'c'),
                1},
        Login{serial, std::nullopt}, Login{serial, Secret::copy_of("123456")}, Logout{serial},
        WaitForChange{0x1122334455667788, 60000},
        Unlock{serial, "pin2", Secret::copy_of("12345678"), true}, Lock{""}, PinStatus{serial},
        SetPin{serial, "pin1", Secret::copy_of("654321")},
        ChangePin{serial, "global", Secret::copy_of("123456"), Secret::copy_of("abcdef"), false},
        UnblockPin{serial, "pin1", Secret::copy_of("87654321"), std::nullopt, true},
        UnblockPin{serial, "", Secret::copy_of("87654321"), Secret::copy_of("111111"), false},
        Probe{"a reader"}, Status{});
}

std::vector<Reply> sample_replies() {
    std::vector<Reply> list;
    const auto add = [&](ReplyBody body, Rv rv = rv_ok, std::string sentence = "") {
        list.push_back(
            {static_cast<std::uint32_t>(list.size()), rv, std::move(sentence), std::move(body)});
    };
    add(Done{}, 0xa0, "The card has refused the PIN; 2 tries are left. Größe: 1.");
    add(Welcome{});
    add(TokenList{0xfedcba9876543210, {token(), {}}});
    add(ObjectList{7,
                   {{"demail-auth", id, std::string(256, '\xf1'), "\x01\x00\x01", true, false},
                    {"demail-enc", "46", std::string(128, '\x81'), "\x03", false, true, false}},
                   {{"demail-auth", id, std::string(1500, '\x30')}}});
    add(Generation{8});
    add(Signature{std::string(256, '\x99')});
    add(Plaintext{Secret::copy_of("a key of sixteen")});
    PinState usable{
        "pin2", "NetKey PIN2", PinCondition::low, 2, 6, 16, true, "pin", false, true, false, ""};
    PinState blocked{"global",
                     "Global PIN",
                     PinCondition::null_pin,
                     std::nullopt,
                     6,
                     16,
                     false,
                     "puk",
                     true,
                     false,
                     true,
                     "Refused on 2 March by demail-cardd."};
    add(PinStates{serial, "TeleSec NetKey 9012", {usable, blocked}}, 0xa4, "Blocked.");
    add(ProbeReport{"ATR 3B BF 96\nGDO 5A 0A\n"});
    add(StatusReport{
        "0.1.0", -1, 9, 12, std::string(32, '\xab'), {{token(), "All is well.", 300, 1, 2, 3}}});
    return list;
}

} // namespace demail::test
