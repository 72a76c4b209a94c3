#include "broker/module_driver.hpp"

#include "broker/rsa.hpp"

#include <fmt/format.h>
#include <p11-kit/pkcs11.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace demail::broker {
namespace {

using namespace std::chrono_literals;

/// A module that fails at once is not started more often.
constexpr auto restart_pause = 2s;

/// After these a module is of no more use before it is initialised anew (facts of OpenSC: after a
/// removal every call fails).
bool is_loss(wire::Rv rv) {
    constexpr CK_RV losses[] = {
        CKR_GENERAL_ERROR,      CKR_DEVICE_ERROR,         CKR_DEVICE_REMOVED,
        CKR_TOKEN_NOT_PRESENT,  CKR_TOKEN_NOT_RECOGNIZED, CKR_SESSION_HANDLE_INVALID,
        CKR_SESSION_CLOSED,     CKR_SLOT_ID_INVALID,      CKR_CRYPTOKI_NOT_INITIALIZED,
        CKR_KEY_HANDLE_INVALID, CKR_OBJECT_HANDLE_INVALID};
    return std::find(std::begin(losses), std::end(losses), rv) != std::end(losses);
}

std::string sentence(const wire::Reply &reply) {
    return reply.sentence.empty()
               ? fmt::format("The PKCS#11 module answered {:#x}.", reply.rv)
               : fmt::format("The PKCS#11 module cannot be used: {}.", reply.sentence);
}

int supposed_tries(wire::PinCondition condition) {
    switch (condition) {
    case wire::PinCondition::usable:
        return 3;
    case wire::PinCondition::low:
        return 2;
    case wire::PinCondition::final_try:
        return 1;
    default:
        return 0;
    }
}

} // namespace

ModuleDriver::ModuleDriver(TokenRule rule) : rule_(std::move(rule)) {}

Presence ModuleDriver::presence() {
    const std::lock_guard lock(mutex_);
    return presence_;
}

void ModuleDriver::saw(Presence::Kind kind, const wire::Token &token) {
    const std::lock_guard lock(mutex_);
    if (presence_.kind != kind || last_serial_ != token.serial) ++presence_.events;
    presence_.kind = kind;
    last_serial_ = token.serial;
    presence_.reader = token.reader.empty() ? rule_.module : token.reader;
}

void ModuleDriver::saw_no_module(const Away &away) {
    saw(Presence::Kind::no_service, {});
    const std::lock_guard lock(mutex_);
    presence_.why = away.sentence;
}

std::variant<wire::Reply, Away> ModuleDriver::ask(const wire::Request &request) {
    if (!child_) return Away{"The PKCS#11 module does not run.", false};
    auto answer = child_->ask(request, rule_.call_limit);
    if (const auto *reply = std::get_if<wire::Reply>(&answer)) {
        if (!is_loss(reply->rv)) return answer;
        answer = Away{sentence(*reply), false};
    }
    // One that nobody had used yet is started again after the pause.
    close();
    child_.reset();
    return answer;
}

std::variant<std::optional<wire::Token>, Away> ModuleDriver::find_token() {
    if (!child_) {
        if (std::chrono::steady_clock::now() - started_ < restart_pause &&
            started_.time_since_epoch().count() != 0)
            return Away{"The PKCS#11 module was started a moment ago and has failed.", false};
        started_ = std::chrono::steady_clock::now();
        try {
            child_.emplace(rule_.module);
        } catch (const std::exception &error) {
            return Away{error.what(), false};
        }
    }
    auto asked = ask(wire::ListTokens{});
    if (auto *away = std::get_if<Away>(&asked)) return std::move(*away);
    auto &reply = std::get<wire::Reply>(asked);
    auto *list = std::get_if<wire::TokenList>(&reply.body);
    if (reply.rv != CKR_OK || list == nullptr) return Away{sentence(reply), false};
    const auto found =
        std::find_if(list->tokens.begin(), list->tokens.end(), [&](const wire::Token &one) {
            return !one.serial.empty() && rule_.fits_serial(one.serial) &&
                   rule_.fits_reader(one.reader);
        });
    if (found == list->tokens.end()) return std::nullopt;
    return std::optional(std::move(*found));
}

void ModuleDriver::look() {
    auto found = find_token();
    if (const auto *away = std::get_if<Away>(&found)) return saw_no_module(*away);
    const auto &token = std::get<std::optional<wire::Token>>(found);
    saw(token ? Presence::Kind::card : Presence::Kind::no_card, token.value_or(wire::Token{}));
}

void ModuleDriver::close() noexcept {
    // A logout would do where the module works; where it does not, only this does.
    if (std::exchange(used_, false)) {
        child_.reset();
        started_ = {};
    }
}

std::variant<Facts, Failed, Away> ModuleDriver::open() {
    close();
    auto found = find_token();
    if (auto *away = std::get_if<Away>(&found)) {
        saw_no_module(*away);
        return std::move(*away);
    }
    const auto &token = std::get<std::optional<wire::Token>>(found);
    if (!token) {
        saw(Presence::Kind::no_card, {});
        return Away{"The token is not there.", false};
    }
    saw(Presence::Kind::card, *token);
    used_ = true;
    auto asked = ask(wire::ListObjects{token->serial});
    if (auto *away = std::get_if<Away>(&asked)) return std::move(*away);
    auto &reply = std::get<wire::Reply>(asked);
    auto *objects = std::get_if<wire::ObjectList>(&reply.body);
    if (reply.rv != CKR_OK || objects == nullptr) return Failed{reply.rv, sentence(reply)};
    CardFacts facts;
    facts.serial = token->serial;
    facts.label = token->label;
    facts.manufacturer = token->manufacturer;
    facts.model = token->model;
    PinFacts pin;
    pin.name = "pin";
    pin.label = "PIN";
    pin.shortest = token->pin_min;
    pin.longest = token->pin_max == 0 ? wire::limit::pin : token->pin_max;
    pin.unblocked_by = 1;
    pin.takes_new_pin = true;
    PinFacts puk = pin;
    puk.name = "puk";
    puk.label = "SO PIN";
    puk.reference = 1;
    puk.unblocked_by = std::nullopt;
    facts.pins = {std::move(pin), std::move(puk)};
    for (wire::Key &key : objects->keys) {
        KeyFacts one;
        one.public_key = RsaPublicKey::make(key.modulus, key.public_exponent);
        one.key = std::move(key);
        if (one.public_key) facts.keys.push_back(std::move(one));
    }
    facts.certificates = std::move(objects->certificates);
    facts_ = std::make_shared<const CardFacts>(std::move(facts));
    return facts_;
}

std::variant<PinStand, Away> ModuleDriver::stand(std::size_t pin) {
    auto asked = ask(wire::PinStatus{facts_->serial});
    if (auto *away = std::get_if<Away>(&asked)) return std::move(*away);
    const auto &reply = std::get<wire::Reply>(asked);
    const auto *states = std::get_if<wire::PinStates>(&reply.body);
    PinStand stand;
    stand.exact = false;
    if (reply.rv != CKR_OK || states == nullptr || pin >= states->pins.size()) return stand;
    const wire::PinCondition condition = states->pins[pin].condition;
    stand.tries = supposed_tries(condition);
    stand.kind = condition == wire::PinCondition::null_pin  ? PinStand::Kind::null_pin
                 : condition == wire::PinCondition::blocked ? PinStand::Kind::blocked
                                                            : PinStand::Kind::usable;
    return stand;
}

PinAnswer ModuleDriver::pin_answer(const std::variant<wire::Reply, Away> &asked, std::size_t pin) {
    // What a module means by CKR_GENERAL_ERROR at a login nobody knows (OpenSC: a null PIN). The
    // latch of the verify stays, and asks for a person.
    if (const auto *away = std::get_if<Away>(&asked)) return *away;
    const auto &reply = std::get<wire::Reply>(asked);
    switch (reply.rv) {
    case CKR_OK:
        return Accepted{};
    case CKR_PIN_LOCKED:
        return PinBlocked{};
    case CKR_PIN_INCORRECT: {
        const auto now = stand(pin);
        const auto *told = std::get_if<PinStand>(&now);
        return WrongPin{told == nullptr ? -1 : told->tries};
    }
    default:
        return Failed{reply.rv, sentence(reply)};
    }
}

PinAnswer ModuleDriver::verify(std::size_t pin, const Secret &value) {
    if (pin != 0) return Failed{CKR_FUNCTION_NOT_SUPPORTED, "Keys are not opened by the SO PIN."};
    return pin_answer(ask(wire::Login{facts_->serial, Secret::copy_of(value.view())}), pin);
}

PinAnswer ModuleDriver::change(std::size_t pin, const Secret &current, const Secret &fresh) {
    if (pin != 0) return Failed{CKR_FUNCTION_NOT_SUPPORTED, "The SO PIN is not changed here."};
    return pin_answer(ask(wire::ChangePin{facts_->serial, "", Secret::copy_of(current.view()),
                                          Secret::copy_of(fresh.view()), false}),
                      pin);
}

PinAnswer ModuleDriver::unblock(std::size_t, const Secret &puk, const Secret *fresh) {
    if (fresh == nullptr) return Failed{CKR_ARGUMENTS_BAD, "A new PIN is needed."};
    return pin_answer(ask(wire::UnblockPin{facts_->serial, "", Secret::copy_of(puk.view()),
                                           Secret::copy_of(fresh->view()), false}),
                      1);
}

PinAnswer ModuleDriver::set_first(std::size_t, const Secret &) {
    return Failed{CKR_FUNCTION_NOT_SUPPORTED,
                  "A PKCS#11 module's PIN is set by its own tools. Nothing was changed."};
}

std::variant<std::string, NeedsPin, Failed, Away>
ModuleDriver::sign(const KeyFacts &key, const wire::SignScheme &scheme, const std::string &input) {
    wire::Sign request{facts_->serial, key.key.id, scheme, input, 0};
    if (const auto *pkcs1 = std::get_if<wire::Pkcs1Signature>(&scheme)) {
        request.input = pkcs1_text(*pkcs1, input).value_or("");
        request.scheme = wire::Pkcs1Signature{};
    }
    auto asked = ask(request);
    if (auto *away = std::get_if<Away>(&asked)) return std::move(*away);
    auto &reply = std::get<wire::Reply>(asked);
    if (reply.rv == CKR_USER_NOT_LOGGED_IN) return NeedsPin{};
    auto *signature = std::get_if<wire::Signature>(&reply.body);
    if (reply.rv != CKR_OK || signature == nullptr) return Failed{reply.rv, sentence(reply)};
    return std::move(signature->bytes);
}

std::variant<Secret, NeedsPin, Failed, Away>
ModuleDriver::decrypt(const KeyFacts &key, const wire::DecryptScheme &scheme,
                      const std::string &input) {
    auto asked = ask(wire::Decrypt{facts_->serial, key.key.id, scheme, input, 0});
    if (auto *away = std::get_if<Away>(&asked)) return std::move(*away);
    auto &reply = std::get<wire::Reply>(asked);
    if (reply.rv == CKR_USER_NOT_LOGGED_IN) return NeedsPin{};
    auto *plain = std::get_if<wire::Plaintext>(&reply.body);
    if (reply.rv != CKR_OK || plain == nullptr)
        return Failed{reply.rv == CKR_OK ? CKR_GENERAL_ERROR : reply.rv, sentence(reply)};
    return std::move(plain->bytes);
}

std::variant<std::string, Failed, Away> ModuleDriver::probe() {
    auto opened = open();
    if (auto *away = std::get_if<Away>(&opened)) return std::move(*away);
    if (auto *failed = std::get_if<Failed>(&opened)) return std::move(*failed);
    const Facts facts = std::get<Facts>(std::move(opened));
    std::string out =
        fmt::format("module: {}\ntoken: {}\nserial: {}\nmodel: {}\nmanufacturer: {}\n",
                    rule_.module, facts->label, facts->serial, facts->model, facts->manufacturer);
    for (const KeyFacts &key : facts->keys)
        out += fmt::format("key: {}, {} bits\n", key.key.label, key.public_key->bits());
    return out;
}

} // namespace demail::broker
