// A NetKey card from its insertion to its first signature, as the engine's tests live it.
#pragma once

#include "check.hpp"
#include "netkey_script.hpp"

#include <openssl/x509.h>

namespace demail::test {

using Identified = std::variant<tcos::Card, tcos::UnknownCard, tcos::Loss>;

inline Identified identify(const std::shared_ptr<Script> &script,
                           const std::string &atr = netkey_atr) {
    return tcos::Card::identify(std::make_unique<ScriptedCard>(script), octets(atr));
}

inline std::string certificate_der() {
    static const std::string der = [] {
        const demail::test::Key key = make_key("RSA");
        const auto certificate = make_certificate(key.get(), {});
        unsigned char *bytes = nullptr;
        const int size = i2d_X509(certificate.get(), &bytes);
        std::string text(reinterpret_cast<const char *>(bytes), static_cast<std::size_t>(size));
        OPENSSL_free(bytes);
        return text;
    }();
    return der;
}

inline tcos::KeyOutcome sign(tcos::Card &card) {
    return card.operate(key_of(card, 0x47), tcos::KeyOperation::sign_pkcs1, digest_info_of_zeros(),
                        2048);
}

// Status, verify, sign: what unlocking and the first signature need.
inline std::string unlock_and_sign(tcos::Card &card) {
    const tcos::Pin &pin = pin_of(card, "pin2");
    const tcos::PinStatus status = card.pin_status(pin);
    if (const auto *loss = std::get_if<tcos::Loss>(&status)) return text(*loss);
    if (!std::holds_alternative<tcos::TriesLeft>(status)) return "status";
    const tcos::PinOutcome verified = card.verify(pin, secret("123456"));
    if (const auto *loss = std::get_if<tcos::Loss>(&verified)) return text(*loss);
    if (!std::holds_alternative<tcos::Done>(verified)) return "verify";
    const tcos::KeyOutcome made = sign(card);
    if (const auto *loss = std::get_if<tcos::Loss>(&made)) return text(*loss);
    return std::holds_alternative<Secret>(made) ? "signed" : "sign";
}

inline std::string whole_life(const std::shared_ptr<Script> &script) {
    Identified found = identify(script);
    if (const auto *loss = std::get_if<tcos::Loss>(&found)) return text(*loss);
    if (const auto *unknown = std::get_if<tcos::UnknownCard>(&found)) return unknown->why;
    tcos::Card &card = std::get<tcos::Card>(found);
    const auto read = card.certificates();
    if (const auto *loss = std::get_if<tcos::Loss>(&read)) return text(*loss);
    return unlock_and_sign(card);
}

} // namespace demail::test
