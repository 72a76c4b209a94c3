// A NetKey V3 card as a script: what is asked of it and what it answers when all is well.
#pragma once

#include "certificates.hpp"
#include "scripted_card.hpp"
#include "tcos/card.hpp"

#include <algorithm>

namespace demail::test {

inline const std::string netkey_serial = "89490173000012345678";
inline const std::string netkey_atr = "3bbfb6008131fe5d00640428030231c073f701d000900067";
inline const std::string select_netkey = "00a4080c02df01";
inline const std::string select_certificate = "00a4090c024371"; ///< of the key 82
inline const std::string status_pin2 = "00200083";
inline const std::string verify_pin2 = "0020008306313233343536";
inline const std::string choose_key_82 = "002241b803840182";
inline const std::string operate_2048 = "002a8086000101"; ///< how it begins

/// What the scripted key makes of everything.
inline std::string scripted_result() {
    std::string result;
    for (int i = 0; i < 256; ++i)
        result += "5a";
    return result;
}

/// `der` is the certificate in file 4371; every other file is missing.
inline std::shared_ptr<Script> netkey_script(const std::string &der = "") {
    auto script = std::make_shared<Script>();
    auto &answers = script->answers;
    answers["00a4080c022f02"] = "9000";
    answers["00b0000000"] = "5a0a" + netkey_serial + "9000";
    answers["00a4040c07d2760000030102"] = "9000";
    answers["00a4040c07d2760000030c01"] = "6a82";
    answers["00a4040c06d27600006601"] = "6a82";
    answers[select_netkey] = "9000";
    for (const char *file :
         {"4331", "4332", "c000", "43b1", "43b2", "c200", "4371", "4372", "c500", "c201"})
        answers["00a4090c02" + std::string(file)] = "6a82";
    answers[status_pin2] = "63c3";
    answers[verify_pin2] = "9000";
    answers[choose_key_82] = "9000";
    answers["002241b803840180"] = "6a88";
    if (!der.empty()) answers[select_certificate] = "9000";
    const Script *const self = script.get();
    script->instead = [der, self](std::size_t,
                                  const std::string &command) -> std::optional<Answer> {
        const auto read_file = [&](std::size_t offset, std::size_t size) {
            const std::string part = der.substr(std::min(offset, der.size()), size);
            tcos::Bytes answer(part.begin(), part.end());
            answer.insert(answer.end(), {0x90, 0x00});
            return Answer(answer);
        };
        if (command.compare(0, operate_2048.size(), operate_2048) == 0)
            return Answer(octets(scripted_result() + "9000"));
        const auto selected =
            std::find_if(self->sent.rbegin(), self->sent.rend(),
                         [](const std::string &one) { return one.compare(0, 4, "00a4") == 0; });
        if (command.compare(0, 4, "00b0") != 0 || selected == self->sent.rend() ||
            *selected != select_certificate)
            return std::nullopt;
        const tcos::Bytes bytes = octets(command);
        const std::size_t offset = static_cast<std::size_t>(bytes[2]) << 8U | bytes[3];
        const std::size_t asked = bytes.size() == 5
                                      ? (bytes[4] == 0 ? 256 : bytes[4])
                                      : static_cast<std::size_t>(bytes[5]) << 8U | bytes[6];
        return read_file(offset, asked);
    };
    return script;
}

inline tcos::Card netkey_card(const std::shared_ptr<Script> &script) {
    auto found = tcos::Card::identify(std::make_unique<ScriptedCard>(script), octets(netkey_atr));
    if (auto *unknown = std::get_if<tcos::UnknownCard>(&found))
        throw std::runtime_error("unknown card: " + unknown->why);
    if (auto *loss = std::get_if<tcos::Loss>(&found)) throw std::runtime_error(text(*loss));
    script->sent.clear();
    return std::move(std::get<tcos::Card>(found));
}

inline const tcos::Key &key_of(const tcos::Card &card, std::uint8_t id) {
    for (const tcos::Key *key : card.keys())
        if (key->id == id) return *key;
    throw std::runtime_error("no such key");
}

inline const tcos::Pin &pin_of(const tcos::Card &card, std::string_view word) {
    for (const tcos::Pin *pin : card.pins())
        if (pin->word == word) return *pin;
    throw std::runtime_error("no such PIN");
}

inline Secret secret(std::string_view value) {
    return Secret::copy_of(value);
}

/// A DigestInfo of SHA-256.
inline tcos::Bytes digest_info_of_zeros() {
    return octets("3031300d060960864801650304020105000420" + std::string(64, '0'));
}

} // namespace demail::test
