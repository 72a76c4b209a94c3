// From the engine's tables and the card's certificates to what clients see: one clean token.
#include "broker/rsa.hpp"
#include "broker/tcos_driver.hpp"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>

namespace demail::broker {
namespace {

constexpr std::array<std::string_view, 3> roles{"demail-auth", "demail-sign", "demail-enc"};

std::string number_of(const EVP_PKEY &key, const char *name) {
    BIGNUM *raw = nullptr;
    if (EVP_PKEY_get_bn_param(&key, name, &raw) != 1) return {};
    const Handle<BIGNUM, BN_free> number(raw);
    std::string bytes(static_cast<std::size_t>(BN_num_bytes(raw)), '\0');
    BN_bn2bin(raw, reinterpret_cast<unsigned char *>(bytes.data()));
    return bytes;
}

std::string der_of(X509 &certificate) {
    unsigned char *der = nullptr;
    const int size = i2d_X509(&certificate, &der);
    if (size <= 0) return {};
    std::string bytes(reinterpret_cast<const char *>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return bytes;
}

bool in_time(const X509 &certificate) {
    return X509_cmp_current_time(X509_get0_notBefore(&certificate)) < 0 &&
           X509_cmp_current_time(X509_get0_notAfter(&certificate)) > 0;
}

/// What the key is for: its certificate says it, else the table.
std::string_view role_of(X509 &certificate, const tcos::Key &key) {
    if (X509_get_ext_by_NID(&certificate, NID_key_usage, -1) >= 0) {
        const std::uint32_t usage = X509_get_key_usage(&certificate);
        if ((usage & KU_NON_REPUDIATION) != 0) return roles[1];
        if ((usage & KU_DIGITAL_SIGNATURE) != 0) return roles[0];
        if ((usage & (KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT)) != 0) return roles[2];
    }
    switch (key.use) {
    case tcos::KeyUse::authenticate:
        return roles[0];
    case tcos::KeyUse::sign:
        return roles[1];
    case tcos::KeyUse::encipher:
        return roles[2];
    }
    return {};
}

std::string id_of(const tcos::Key &key) {
    return std::string(1, static_cast<char>(key.id));
}

/// The certificates of one key, those that are valid today first, as the table has them otherwise.
std::vector<X509 *> certificates_of(const tcos::Key &key,
                                    const std::vector<tcos::CertificateOnCard> &all) {
    std::vector<X509 *> list;
    for (const tcos::CertificateOnCard &one : all)
        if (const auto *certificate = std::get_if<tcos::Certificate>(&one.content);
            certificate != nullptr && one.key == &key)
            list.push_back(certificate->get());
    std::stable_partition(list.begin(), list.end(), [](X509 *one) { return in_time(*one); });
    return list;
}

std::vector<PinFacts> pins_of(const tcos::Card &card) {
    const auto table = card.pins();
    std::vector<PinFacts> pins;
    for (const tcos::Pin *pin : table) {
        PinFacts facts;
        facts.name = pin->word;
        facts.label = pin->name;
        facts.reference = pin->reference;
        facts.shortest = pin->shortest;
        facts.longest = pin->longest;
        const auto other = std::find(table.begin(), table.end(), pin->unblocked_by);
        if (other != table.end())
            facts.unblocked_by = static_cast<std::size_t>(other - table.begin());
        pins.push_back(std::move(facts));
    }
    return pins;
}

std::string application_names(const tcos::Card &card) {
    std::string names;
    for (const tcos::Application *application : card.applications())
        names += (names.empty() ? "" : "+") + std::string(application->name);
    return names;
}

} // namespace

CardFacts tcos_facts(const tcos::Card &card,
                     const std::vector<tcos::CertificateOnCard> &certificates) {
    CardFacts facts;
    facts.serial = card.serial();
    const std::string names = application_names(card);
    const bool old =
        card.known_atr() != nullptr && card.known_atr()->generation == tcos::Generation::tcos2;
    const std::string_view serial = facts.serial;
    facts.model = fmt::format("TCOS {} {}", old ? 2 : 3, names).substr(0, 16);
    facts.label = fmt::format("{} {}", names.substr(0, 15),
                              serial.substr(serial.size() > 16 ? serial.size() - 16 : 0));
    facts.manufacturer = "T-Systems";
    facts.pins = pins_of(card);

    const auto table = card.pins();
    const auto keys = card.keys();
    std::vector<std::string> given;
    for (std::size_t place = 0; place < keys.size(); ++place) {
        const tcos::Key &key = *keys[place];
        const auto own = certificates_of(key, certificates);
        if (own.empty()) continue;
        const EVP_PKEY *public_key = X509_get0_pubkey(own.front());
        if (public_key == nullptr || EVP_PKEY_is_a(public_key, "RSA") != 1) continue;
        KeyFacts one;
        one.place = place;
        one.pin = static_cast<std::size_t>(std::find(table.begin(), table.end(), key.pin) -
                                           table.begin());
        one.key.id = id_of(key);
        one.key.modulus = number_of(*public_key, OSSL_PKEY_PARAM_RSA_N);
        one.key.public_exponent = number_of(*public_key, OSSL_PKEY_PARAM_RSA_E);
        one.public_key = rsa_public_key(one.key.modulus, one.key.public_exponent);
        if (one.public_key == nullptr || one.pin == table.size()) continue;
        // A key that cannot sign SHA-256 is no demail-sign; it keeps its own name.
        const std::string_view role = key.way == tcos::Way::digital_signature
                                          ? std::string_view()
                                          : role_of(*own.front(), key);
        if (!role.empty() && std::find(given.begin(), given.end(), role) == given.end()) {
            one.key.label = role;
            given.emplace_back(role);
        } else {
            one.key.label = key.name;
        }
        one.key.may_decrypt = role == roles[2];
        one.key.may_sign = !one.key.may_decrypt;
        int number = 0;
        for (X509 *certificate : own) {
            std::string label = one.key.label;
            if (++number > 1) label += fmt::format(" {}", number);
            facts.certificates.push_back({std::move(label), one.key.id, der_of(*certificate)});
        }
        facts.keys.push_back(std::move(one));
    }
    // The PIN that a person is asked for first is that of the first role that is there.
    for (const std::string_view role : roles) {
        const auto found = std::find_if(facts.keys.begin(), facts.keys.end(),
                                        [&](const KeyFacts &one) { return one.key.label == role; });
        if (found == facts.keys.end()) continue;
        facts.main_pin = found->pin;
        return facts;
    }
    if (!facts.keys.empty()) facts.main_pin = facts.keys.front().pin;
    return facts;
}

} // namespace demail::broker
