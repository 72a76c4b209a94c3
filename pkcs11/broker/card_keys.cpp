// What a card's thread does with keys.
#include "base/digest_info.hpp"
#include "base/log.hpp"
#include "broker/card_thread.hpp"
#include "broker/rsa.hpp"

#include <fmt/format.h>
#include <p11-kit/pkcs11.h>

#include <algorithm>
#include <utility>

namespace demail::broker {
namespace {

/// A card that is lost at every use is broken, not unlucky.
constexpr int most_losses = 5;
constexpr std::chrono::milliseconds breath{50};

/// What no card need be asked for.
std::optional<Failed> impossible(const KeyFacts &key, const wire::Sign &request) {
    const std::size_t size = (key.public_key->bits() + 7) / 8;
    if (!key.key.may_sign)
        return Failed{CKR_KEY_FUNCTION_NOT_PERMITTED, "This key is not for signatures."};
    if (const auto *pss = std::get_if<wire::PssSignature>(&request.scheme)) {
        const DigestAlgorithm *digest = signature_digest(pss->hash);
        if (digest == nullptr || signature_digest(pss->mgf) == nullptr)
            return Failed{CKR_MECHANISM_PARAM_INVALID,
                          "Only SHA-256, SHA-384 and SHA-512 are signed."};
        if (request.input.size() != digest->size)
            return Failed{CKR_DATA_LEN_RANGE, "The input is no digest of that kind."};
        if (digest->size + pss->salt + 2 > size)
            return Failed{CKR_MECHANISM_PARAM_INVALID, "The salt is too long for this key."};
        return std::nullopt;
    }
    const auto &pkcs1 = std::get<wire::Pkcs1Signature>(request.scheme);
    if (pkcs1.hash && signature_digest(*pkcs1.hash) == nullptr)
        return Failed{CKR_MECHANISM_PARAM_INVALID, "Only SHA-256, SHA-384 and SHA-512 are signed."};
    const auto text = pkcs1_text(pkcs1, request.input);
    if (!text) return Failed{CKR_DATA_LEN_RANGE, "The input is no digest of that kind."};
    if (text->empty() || text->size() + 11 > size)
        return Failed{CKR_DATA_LEN_RANGE, "The input is too long for this key."};
    return std::nullopt;
}

std::optional<Failed> impossible(const KeyFacts &key, const wire::Decrypt &request) {
    const std::size_t size = (key.public_key->bits() + 7) / 8;
    if (!key.key.may_decrypt)
        return Failed{CKR_KEY_FUNCTION_NOT_PERMITTED, "This key is not for decryption."};
    if (request.input.size() != size)
        return Failed{CKR_ENCRYPTED_DATA_LEN_RANGE,
                      "The cryptogram is not as long as the key's modulus."};
    return std::nullopt;
}

using KeyResult = std::variant<wire::Reply, NeedsPin, Failed, Away>;

/// What the driver gave in a value's place.
template <typename Made>
KeyResult no_value(Made &made) {
    if (auto *failed = std::get_if<Failed>(&made)) return std::move(*failed);
    if (auto *away = std::get_if<Away>(&made)) return std::move(*away);
    return NeedsPin{};
}

} // namespace

/// `use` returns a KeyResult.
template <typename Use>
JobOutcome CardThread::with_key(Job &job, const std::string &serial, const std::string &id,
                                Use use) {
    int losses = 0;
    bool asked_again = false;
    const auto survive = [&](const Away &away) {
        lost(away.sentence);
        if (++losses > most_losses || away.hangs) return false;
        // What fails at once again may need a moment.
        if (losses > 1)
            desk_->wait_for_wake(std::min(job.deadline, Clock::now() + breath * (1 << losses)));
        return true;
    };
    for (;;) {
        // A locked card need not get its power to be told that it is locked.
        if (!open_ && facts_ && facts_->serial == serial && !pins_.holds_any() &&
            (tried_unattended_ || locked_by_person_ || rule_.pin_file.empty()))
            return plain_reply(CKR_USER_NOT_LOGGED_IN, not_unlocked());
        if (auto ended = ready(job, serial)) return std::move(*ended);
        last_use_ = Clock::now();
        const Facts facts = facts_;
        const auto key = std::find_if(facts->keys.begin(), facts->keys.end(),
                                      [&](const KeyFacts &one) { return one.key.id == id; });
        if (key == facts->keys.end())
            return plain_reply(CKR_KEY_HANDLE_INVALID, "The card has no such key.");
        if (!pins_.verified(key->pin)) {
            if (!pins_.holds(key->pin)) {
                if (!pins_.holds_any()) let_go();
                return plain_reply(CKR_USER_NOT_LOGGED_IN, not_unlocked());
            }
            const PinOutcome verified = pins_.verify_again(key->pin, rule_.reserve_tries);
            if (const auto *away = std::get_if<Away>(&verified)) {
                if (survive(*away)) continue;
                return plain_reply(CKR_DEVICE_ERROR, away->sentence);
            }
            if (const auto *failed = std::get_if<Failed>(&verified)) {
                audit(nullptr, "verify", facts->pins[key->pin].name, "", "", failed->sentence);
                remember(failed->sentence);
                if (!pins_.holds_any()) let_go();
                publish();
                return plain_reply(failed->rv, failed->sentence);
            }
        }
        auto result = use(*key);
        if (const auto *away = std::get_if<Away>(&result)) {
            if (survive(*away)) continue;
            return plain_reply(CKR_DEVICE_ERROR, away->sentence);
        }
        if (std::holds_alternative<NeedsPin>(result)) {
            pins_.forget_verified(key->pin);
            // After a verify that the card accepted it will not think better of it.
            if (!std::exchange(asked_again, true)) continue;
            return plain_reply(CKR_DEVICE_ERROR,
                               "The card wants its PIN verified, and does not use the key after.");
        }
        if (const auto *failed = std::get_if<Failed>(&result))
            return plain_reply(failed->rv, failed->sentence);
        if (!status_.sentence.empty()) remember("");
        return std::get<wire::Reply>(std::move(result));
    }
}

std::string CardThread::not_unlocked() const {
    if (!status_.sentence.empty() && facts_ && !locked_by_person_ && !rule_.pin_file.empty())
        return status_.sentence;
    return fmt::format("Card {} is locked: a person has to run \"demailctl unlock\".",
                       facts_ ? facts_->serial : "");
}

template <typename Request, typename Use>
JobOutcome CardThread::accounted(Job &job, const char *act, const Request &request, Use use) {
    std::string label;
    JobOutcome outcome =
        with_key(job, request.serial, request.key, [&](const KeyFacts &key) -> KeyResult {
            label = key.key.label;
            if (auto failed = impossible(key, request)) return *failed;
            return use(key);
        });
    auto *reply = std::get_if<wire::Reply>(&outcome);
    if (reply == nullptr) return outcome;
    try {
        audit(&job, act, label, mechanism_name(request.scheme), request.input,
              reply->rv == CKR_OK ? "ok" : reply->sentence);
    } catch (const std::exception &error) {
        // What is not in the log must not leave.
        *reply = plain_reply(CKR_FUNCTION_FAILED,
                             fmt::format("The audit log cannot be written: {}.", error.what()));
    }
    ++(reply->rv == CKR_OK ? status_.signatures : status_.failures);
    shared_.catalogue.update(status_);
    return outcome;
}

JobOutcome CardThread::sign(Job &job, const wire::Sign &request) {
    return accounted(job, "sign", request, [&](const KeyFacts &key) -> KeyResult {
        auto made = driver_->sign(key, request.scheme, request.input);
        auto *signature = std::get_if<std::string>(&made);
        if (signature == nullptr) return no_value(made);
        if (!key.public_key->verifies(request.scheme, request.input, *signature))
            return Failed{CKR_DEVICE_ERROR,
                          "What the card made is no signature by this key; it was thrown away."};
        return wire::Reply{0, CKR_OK, "", wire::Signature{std::move(*signature)}};
    });
}

JobOutcome CardThread::decrypt(Job &job, const wire::Decrypt &request) {
    return accounted(job, "decrypt", request, [&](const KeyFacts &key) -> KeyResult {
        auto made = driver_->decrypt(key, request.scheme, request.input);
        auto *plain = std::get_if<Secret>(&made);
        if (plain == nullptr) return no_value(made);
        return wire::Reply{0, CKR_OK, "", wire::Plaintext{std::move(*plain)}};
    });
}

} // namespace demail::broker
