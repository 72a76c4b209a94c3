// Each message's fields, in the order of the wire: said once, for Reader and Writer alike.
// Room-private.
#pragma once

#include "wire/message.hpp"

#include <concepts>
#include <type_traits>

namespace demail::wire {

/// `Message` as it is read (mutable) or written (const).
template <typename T, typename Message>
concept Of = std::same_as<std::remove_const_t<T>, Message>;

inline constexpr std::uint32_t longest_wait_ms = 60'000;

/// Which of a variant's alternatives it is, and that one's fields. The number on the wire is the
/// place in the variant: new ones go to its end.
template <typename... Messages>
void alternative(auto &io, const std::variant<Messages...> &one);
template <typename... Messages>
void alternative(auto &io, std::variant<Messages...> &one);

// ---- Parts

void hash(auto &io, auto &value) {
    io.choice(value, Hash::sha1, Hash::sha512);
}

void fields(auto &io, Of<PinFlags> auto &m) {
    io.flag(m.held);
    io.flag(m.tries_low);
    io.flag(m.final_try);
    io.flag(m.locked);
    io.flag(m.null_pin);
}
void fields(auto &io, Of<Token> auto &m) {
    io.number(m.slot);
    io.flag(m.present);
    io.text(m.serial, limit::name);
    io.text(m.label, limit::name);
    io.text(m.manufacturer, limit::name);
    io.text(m.model, limit::name);
    io.text(m.reader, limit::reader);
    fields(io, m.pin);
    io.number(m.pin_min);
    io.number(m.pin_max);
}
void fields(auto &io, Of<Key> auto &m) {
    io.text(m.label, limit::name);
    io.bytes(m.id, limit::name);
    io.bytes(m.modulus, limit::modulus);
    io.bytes(m.public_exponent, limit::modulus);
    io.flag(m.may_sign);
    io.flag(m.may_decrypt);
    io.flag(m.usable);
}
void fields(auto &io, Of<Certificate> auto &m) {
    io.text(m.label, limit::name);
    io.bytes(m.id, limit::name);
    io.bytes(m.der, limit::certificate);
}
void fields(auto &io, Of<Pkcs1Signature> auto &m) {
    io.optional(m.hash, [&](auto &value) { hash(io, value); });
}
void fields(auto &io, Of<PssSignature> auto &m) {
    hash(io, m.hash);
    hash(io, m.mgf);
    io.number(m.salt);
}
void fields(auto &, Of<Pkcs1Encryption> auto &) {}
void fields(auto &io, Of<OaepEncryption> auto &m) {
    hash(io, m.hash);
    hash(io, m.mgf);
    io.bytes(m.label, limit::oaep_label);
}

// ---- Requests

void fields(auto &io, Of<Hello> auto &m) {
    io.number(m.lowest);
    io.number(m.highest);
}
void fields(auto &, Of<ListTokens> auto &) {}
void fields(auto &io, Of<ListObjects> auto &m) {
    io.text(m.serial, limit::name);
}
void fields(auto &io, Of<Sign> auto &m) {
    io.text(m.serial, limit::name);
    io.bytes(m.key, limit::name);
    alternative(io, m.scheme);
    io.bytes(m.input, limit::input);
    io.number(m.deadline_ms);
}
void fields(auto &io, Of<Decrypt> auto &m) {
    io.text(m.serial, limit::name);
    io.bytes(m.key, limit::name);
    alternative(io, m.scheme);
    io.bytes(m.input, limit::input);
    io.number(m.deadline_ms);
}
void fields(auto &io, Of<Login> auto &m) {
    io.text(m.serial, limit::name);
    io.optional(m.pin, [&](auto &pin) { io.secret(pin, limit::pin); });
}
void fields(auto &io, Of<Logout> auto &m) {
    io.text(m.serial, limit::name);
}
void fields(auto &io, Of<WaitForChange> auto &m) {
    io.number(m.generation);
    io.number(m.timeout_ms, longest_wait_ms);
}
void fields(auto &io, Of<Unlock> auto &m) {
    io.text(m.serial, limit::name);
    io.text(m.pin_name, limit::name);
    io.secret(m.pin, limit::pin);
    io.flag(m.last_try);
}
void fields(auto &io, Of<Lock> auto &m) {
    io.text(m.serial, limit::name);
}
void fields(auto &io, Of<PinStatus> auto &m) {
    io.text(m.serial, limit::name);
}
void fields(auto &io, Of<SetPin> auto &m) {
    io.text(m.serial, limit::name);
    io.text(m.pin_name, limit::name);
    io.secret(m.pin, limit::pin);
}
void fields(auto &io, Of<ChangePin> auto &m) {
    io.text(m.serial, limit::name);
    io.text(m.pin_name, limit::name);
    io.secret(m.old_pin, limit::pin);
    io.secret(m.new_pin, limit::pin);
    io.flag(m.last_try);
}
void fields(auto &io, Of<UnblockPin> auto &m) {
    io.text(m.serial, limit::name);
    io.text(m.pin_name, limit::name);
    io.secret(m.puk, limit::pin);
    io.optional(m.new_pin, [&](auto &pin) { io.secret(pin, limit::pin); });
    io.flag(m.last_try);
}
void fields(auto &io, Of<Probe> auto &m) {
    io.text(m.reader, limit::reader);
}
void fields(auto &, Of<Status> auto &) {}

// ---- Replies

void fields(auto &, Of<Done> auto &) {}
void fields(auto &io, Of<Welcome> auto &m) {
    io.number(m.version);
}
void fields(auto &io, Of<TokenList> auto &m) {
    io.number(m.generation);
    io.list(m.tokens, limit::tokens, [&](auto &token) { fields(io, token); });
}
void fields(auto &io, Of<ObjectList> auto &m) {
    io.number(m.generation);
    io.list(m.keys, limit::keys, [&](auto &key) { fields(io, key); });
    io.list(m.certificates, limit::certificates, [&](auto &one) { fields(io, one); });
}
void fields(auto &io, Of<Generation> auto &m) {
    io.number(m.generation);
}
void fields(auto &io, Of<Signature> auto &m) {
    io.bytes(m.bytes, limit::input);
}
void fields(auto &io, Of<Plaintext> auto &m) {
    io.secret(m.bytes, limit::input);
}
void fields(auto &io, Of<PinState> auto &m) {
    io.text(m.name, limit::name);
    io.text(m.label, limit::name);
    io.choice(m.condition, PinCondition::unknown, PinCondition::null_pin);
    io.optional(m.tries_left, [&](auto &tries) { io.number(tries); });
    io.number(m.pin_min);
    io.number(m.pin_max);
    io.flag(m.guards_keys);
    io.text(m.unblocked_by, limit::name);
    io.flag(m.takes_new_pin);
    io.flag(m.held);
    io.flag(m.latched);
    io.sentence(m.latched_by, limit::sentence);
}
void fields(auto &io, Of<PinStates> auto &m) {
    io.text(m.serial, limit::name);
    io.text(m.label, limit::name);
    io.list(m.pins, limit::pins, [&](auto &pin) { fields(io, pin); });
}
void fields(auto &io, Of<ProbeReport> auto &m) {
    io.lines(m.text, limit::report);
}
void fields(auto &io, Of<TokenStatus> auto &m) {
    fields(io, m.token);
    io.sentence(m.sentence, limit::sentence);
    io.number(m.signatures);
    io.number(m.failures);
    io.number(m.heals);
    io.number(m.waiting);
}
void fields(auto &io, Of<StatusReport> auto &m) {
    io.text(m.program_version, limit::name);
    io.time(m.started);
    io.number(m.generation);
    io.number(m.audit_lines);
    io.bytes(m.audit_head, limit::name);
    io.list(m.tokens, limit::tokens, [&](auto &token) { fields(io, token); });
}

// ---- Which message

template <typename... Messages>
void alternative(auto &io, const std::variant<Messages...> &one) {
    io.number(static_cast<std::uint16_t>(one.index()));
    std::visit([&](const auto &message) { fields(io, message); }, one);
}

template <typename... Messages>
void alternative(auto &io, std::variant<Messages...> &one) {
    std::uint16_t index = 0;
    io.number(index);
    if (!io.good() || index >= sizeof...(Messages)) return io.refuse();
    std::uint16_t at = 0;
    const auto read_if = [&]<typename Message>(std::type_identity<Message>) {
        if (at++ == index) fields(io, one.template emplace<Message>());
    };
    (read_if(std::type_identity<Messages>{}), ...);
}

} // namespace demail::wire
