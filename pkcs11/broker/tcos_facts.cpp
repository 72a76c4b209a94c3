// From the engine's tables and the card's certificates to what clients see: one clean token.
#include "broker/key_roles.hpp"
#include "broker/tcos_driver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace demail::broker {
namespace {

KeyRole role_of(tcos::KeyUse use) {
    switch (use) {
    case tcos::KeyUse::authenticate:
        return KeyRole::authenticate;
    case tcos::KeyUse::encipher:
        return KeyRole::encipher;
    case tcos::KeyUse::sign:
        break;
    }
    return KeyRole::sign;
}

std::string id_of(const tcos::Key &key) {
    return std::string(1, static_cast<char>(key.id));
}

/// The certificates of one key, as the table has them.
std::vector<X509 *> certificates_of(const tcos::Key &key,
                                    const std::vector<tcos::CertificateOnCard> &all) {
    std::vector<X509 *> list;
    for (const tcos::CertificateOnCard &one : all)
        if (const auto *certificate = std::get_if<tcos::Certificate>(&one.content);
            certificate != nullptr && one.key == &key)
            list.push_back(certificate->get());
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
    std::vector<KeyCandidate> candidates;
    for (std::size_t place = 0; place < keys.size(); ++place) {
        const tcos::Key &key = *keys[place];
        const auto pin = std::find(table.begin(), table.end(), key.pin);
        if (pin == table.end()) continue;
        KeyCandidate one;
        one.id = id_of(key);
        one.name = key.name;
        one.role = role_of(key.use);
        one.whole_digests = key.way != tcos::Way::digital_signature;
        one.pin = static_cast<std::size_t>(pin - table.begin());
        one.place = place;
        one.certificates = certificates_of(key, certificates);
        candidates.push_back(std::move(one));
    }
    add_keys(facts, candidates);
    return facts;
}

} // namespace demail::broker
