#include "broker/tcos_driver.hpp"

#include "base/digest.hpp"
#include "broker/rsa.hpp"
#include "tcos/padding.hpp"
#include "tcos/time_limit.hpp"

#include <fmt/format.h>
#include <p11-kit/pkcs11.h>

#include <utility>

namespace demail::broker {
namespace {

/// For one APDU. Old cards take a second for a signature.
constexpr std::chrono::seconds apdu_limit{10};

Away away(tcos::Loss loss) {
    return {fmt::format("The card was lost: {}.", tcos::text(loss)), loss == tcos::Loss::timed_out};
}

Failed failed(const tcos::Refused &refused) {
    return {CKR_DEVICE_ERROR, fmt::format("The card refused: {}.", tcos::text(refused.status))};
}

PinAnswer answer_of(const tcos::PinOutcome &outcome) {
    if (std::holds_alternative<tcos::Done>(outcome)) return Accepted{};
    if (const auto *wrong = std::get_if<tcos::WrongPin>(&outcome)) {
        if (wrong->tries_left && *wrong->tries_left == 0) return PinBlocked{};
        return WrongPin{wrong->tries_left ? static_cast<int>(*wrong->tries_left) : -1};
    }
    if (std::holds_alternative<tcos::Blocked>(outcome)) return PinBlocked{};
    if (std::holds_alternative<tcos::NullPin>(outcome))
        return Failed{CKR_USER_PIN_NOT_INITIALIZED, "This PIN was never set (null PIN)."};
    if (const auto *refused = std::get_if<tcos::Refused>(&outcome)) return failed(*refused);
    if (const auto *not_sent = std::get_if<tcos::NotPossible>(&outcome))
        return Failed{CKR_PIN_INVALID, fmt::format("Nothing was tried: {}.", not_sent->why)};
    return away(std::get<tcos::Loss>(outcome));
}

} // namespace

TcosDriver::TcosDriver(const ReaderWatch &watch, std::string reader)
    : watch_(watch), reader_(std::move(reader)) {
    random_bytes(rejection_key_.data(), rejection_key_.size());
}

void TcosDriver::close() noexcept {
    if (card_) card_->release();
}

std::variant<TcosDriver::Connected, Away> TcosDriver::connect() {
    auto connected = tcos::PcscCard::connect(reader_);
    if (const auto *why = std::get_if<tcos::NotConnected>(&connected))
        return Away{fmt::format("The card cannot be had: {}.", tcos::text(*why))};
    auto card = std::get<std::unique_ptr<tcos::PcscCard>>(std::move(connected));
    tcos::Bytes atr = card->atr();
    return Connected{std::make_unique<tcos::TimeLimit>(std::move(card), apdu_limit),
                     std::move(atr)};
}

std::optional<std::variant<Failed, Away>> TcosDriver::identify() {
    auto connected = connect();
    if (auto *gone = std::get_if<Away>(&connected)) return std::move(*gone);
    auto &[transport, atr] = std::get<Connected>(connected);
    auto found = tcos::Card::identify(std::move(transport), std::move(atr));
    if (const auto *loss = std::get_if<tcos::Loss>(&found)) return away(*loss);
    if (const auto *unknown = std::get_if<tcos::UnknownCard>(&found))
        return Failed{
            CKR_TOKEN_NOT_RECOGNIZED,
            fmt::format("The card in reader {} cannot be used: {}.", reader_, unknown->why)};
    card_.emplace(std::get<tcos::Card>(std::move(found)));
    return std::nullopt;
}

std::variant<Facts, Failed, Away> TcosDriver::open() {
    close();
    if (card_ && facts_) {
        auto connected = connect();
        if (auto *gone = std::get_if<Away>(&connected)) return std::move(*gone);
        const auto same = card_->resume(std::move(std::get<Connected>(connected).transport));
        if (const auto *loss = std::get_if<tcos::Loss>(&same)) {
            close();
            return away(*loss);
        }
        if (std::get<bool>(same)) return facts_;
        card_.reset();
        facts_.reset();
    }
    if (auto why = identify()) {
        if (auto *gone = std::get_if<Away>(&*why)) return std::move(*gone);
        return std::get<Failed>(std::move(*why));
    }
    const auto certificates = card_->certificates();
    if (const auto *loss = std::get_if<tcos::Loss>(&certificates)) {
        close();
        return away(*loss);
    }
    facts_ = std::make_shared<const CardFacts>(
        tcos_facts(*card_, std::get<std::vector<tcos::CertificateOnCard>>(certificates)));
    return facts_;
}

const tcos::Pin &TcosDriver::pin_at(std::size_t place) const {
    return *card_->pins().at(place);
}

std::variant<PinStand, Away> TcosDriver::stand(std::size_t pin) {
    const tcos::PinStatus status = card_->pin_status(pin_at(pin));
    using Kind = PinStand::Kind;
    if (const auto *left = std::get_if<tcos::TriesLeft>(&status))
        return PinStand{Kind::usable, static_cast<int>(left->tries)};
    if (std::holds_alternative<tcos::Verified>(status)) return PinStand{Kind::verified, -1};
    if (std::holds_alternative<tcos::Blocked>(status)) return PinStand{Kind::blocked, 0};
    if (std::holds_alternative<tcos::NullPin>(status)) return PinStand{Kind::null_pin, -1};
    if (std::holds_alternative<tcos::StatusUnknown>(status)) return PinStand{Kind::unknown, -1};
    return away(std::get<tcos::Loss>(status));
}

PinAnswer TcosDriver::verify(std::size_t pin, const Secret &value) {
    return answer_of(card_->verify(pin_at(pin), value));
}

PinAnswer TcosDriver::change(std::size_t pin, const Secret &current, const Secret &fresh) {
    return answer_of(card_->change(pin_at(pin), current, fresh));
}

PinAnswer TcosDriver::unblock(std::size_t pin, const Secret &puk, const Secret *fresh) {
    if (fresh != nullptr) return Failed{CKR_FUNCTION_NOT_SUPPORTED, "The PIN stays what it was."};
    return answer_of(card_->unblock(pin_at(pin), puk));
}

PinAnswer TcosDriver::set_first(std::size_t pin, const Secret &fresh) {
    return answer_of(card_->set_null_pin(pin_at(pin), fresh));
}

std::variant<Secret, NeedsPin, Failed, Away>
TcosDriver::operate(const KeyFacts &key, tcos::KeyOperation operation, std::string_view input) {
    auto made = card_->operate(*card_->keys().at(key.place), operation, tcos::bytes_of(input),
                               key.public_key->bits());
    if (auto *bytes = std::get_if<Secret>(&made)) return std::move(*bytes);
    if (std::holds_alternative<tcos::SecurityStatusLost>(made)) return NeedsPin{};
    if (const auto *refused = std::get_if<tcos::Refused>(&made)) return failed(*refused);
    if (const auto *not_possible = std::get_if<tcos::NotPossible>(&made))
        return Failed{CKR_FUNCTION_NOT_SUPPORTED,
                      fmt::format("This card cannot do it: {}.", not_possible->why)};
    return away(std::get<tcos::Loss>(made));
}

std::variant<std::string, NeedsPin, Failed, Away>
TcosDriver::sign(const KeyFacts &key, const wire::SignScheme &scheme, const std::string &input) {
    std::string text;
    auto operation = tcos::KeyOperation::sign_pkcs1;
    if (const auto *pss = std::get_if<wire::PssSignature>(&scheme)) {
        operation = tcos::KeyOperation::sign_block;
        auto block = pss_block(*signature_digest(pss->hash), *signature_digest(pss->mgf), input,
                               pss->salt, key.public_key->bits());
        if (!block) return Failed{CKR_MECHANISM_PARAM_INVALID, "The key is too short for it."};
        text = std::move(*block);
    } else {
        text = pkcs1_text(std::get<wire::Pkcs1Signature>(scheme), input).value_or("");
    }
    auto made = operate(key, operation, text);
    if (const auto *bytes = std::get_if<Secret>(&made)) return std::string(bytes->view());
    if (auto *gone = std::get_if<Away>(&made)) return std::move(*gone);
    if (auto *refused = std::get_if<Failed>(&made)) return std::move(*refused);
    return NeedsPin{};
}

std::variant<Secret, NeedsPin, Failed, Away> TcosDriver::decrypt(const KeyFacts &key,
                                                                 const wire::DecryptScheme &scheme,
                                                                 const std::string &input) {
    auto made = operate(key, tcos::KeyOperation::decipher, input);
    auto *block = std::get_if<Secret>(&made);
    if (block == nullptr) return made;
    if (const auto *oaep = std::get_if<wire::OaepEncryption>(&scheme)) {
        const DigestAlgorithm *digest = encryption_digest(oaep->hash);
        const DigestAlgorithm *mgf = encryption_digest(oaep->mgf);
        auto plain = tcos::unpad_oaep(*block, *digest, *mgf, tcos::bytes_of(oaep->label));
        if (plain) return std::move(*plain);
        return Failed{CKR_ENCRYPTED_DATA_INVALID, "The cryptogram cannot be decrypted."};
    }
    return tcos::unpad_pkcs1(*block, tcos::bytes_of(input), rejection_key_);
}

std::variant<std::string, Failed, Away> TcosDriver::probe() {
    close();
    auto connected = connect();
    if (auto *gone = std::get_if<Away>(&connected)) return std::move(*gone);
    auto &[transport, atr] = std::get<Connected>(connected);
    auto found = tcos::Card::identify(std::move(transport), std::move(atr));
    if (const auto *loss = std::get_if<tcos::Loss>(&found)) return away(*loss);
    if (const auto *unknown = std::get_if<tcos::UnknownCard>(&found))
        return fmt::format("reader: {}\nATR: {}\nserial: {}\nThis card cannot be used: {}.\n",
                           reader_, hex(tcos::text_of(unknown->atr)),
                           unknown->serial.empty() ? "none" : unknown->serial, unknown->why);
    return tcos_report(reader_, std::get<tcos::Card>(found));
}

} // namespace demail::broker
