// A card's PINs. Nothing here sends a PIN command twice.
#include "tcos/ber.hpp"
#include "tcos/card.hpp"
#include "tcos/instructions.hpp"

#include <algorithm>

namespace demail::tcos {
namespace {

constexpr std::uint16_t pin_records = 0x5049; // EF_PWDD
constexpr std::uint16_t blocked = 0x6983;
constexpr std::uint16_t not_usable = 0x6984;
constexpr std::uint16_t null_pin = 0x6985;
constexpr std::size_t transport_pin_size = 6; // zeros

std::optional<unsigned> tries_in(StatusWord status) noexcept {
    if (status.sw1() == 0x63 && (status.sw2() & 0xf0U) == 0xc0) return status.sw2() & 15U;
    return std::nullopt;
}

std::optional<NotPossible> malformed(const Pin &pin, const Secret &value) {
    if (value.size() < pin.shortest) return NotPossible{"this PIN is too short"};
    if (value.size() > pin.longest) return NotPossible{"this PIN is too long"};
    const std::string_view characters = value.view();
    if (!std::all_of(characters.begin(), characters.end(),
                     [](char c) { return c > 0x20 && c < 0x7f; }))
        return NotPossible{"a PIN has ASCII characters without blanks only"};
    return std::nullopt;
}

} // namespace

// Local references mean the selected directory's PINs.
Card::Step Card::enter_for(const Pin &pin) {
    if (pin.directory == nullptr) return Done{};
    return enter(*pin.directory);
}

PinStatus Card::pin_status(const Pin &pin) {
    Step step = enter_for(pin);
    if (const auto *loss = std::get_if<Loss>(&step)) return *loss;
    if (const auto *refused = std::get_if<Refused>(&step)) return StatusUnknown{refused->status};
    // Without data VERIFY asks (ISO 7816-4 7.5.6).
    step = send({0x00, ins::verify, 0x00, pin.reference, {}, 0});
    if (const auto *loss = std::get_if<Loss>(&step)) return *loss;
    if (std::holds_alternative<Done>(step)) return Verified{};
    const StatusWord status = std::get<Refused>(step).status;
    if (const auto tries = tries_in(status)) {
        if (*tries == 0) return Blocked{};
        return TriesLeft{*tries};
    }
    if (status.value == blocked || status.value == not_usable) return Blocked{};
    if (status.value == null_pin) return NullPin{};
    const auto recorded = status_from_record(pin);
    return recorded ? *recorded : StatusUnknown{status};
}

// `A0 L {83 01 ref .. 90 L ..}`: the last byte of 90 counts the tries left.
std::optional<PinStatus> Card::status_from_record(const Pin &pin) {
    if (generation() != Generation::tcos3) return std::nullopt;
    const auto read = read_records(pin.directory, pin_records);
    if (const auto *loss = std::get_if<Loss>(&read)) return *loss;
    for (const Bytes &record : std::get<std::vector<Bytes>>(read)) {
        const auto reference = find(record, {0xa0, 0x83});
        const auto counters = find(record, {0xa0, 0x90});
        if (!reference || reference->size() != 1 || reference->front() != pin.reference) continue;
        if (!counters || counters->empty()) return std::nullopt;
        const unsigned tries = counters->back();
        if (tries == 0) return Blocked{};
        return TriesLeft{tries};
    }
    return std::nullopt;
}

PinOutcome Card::send_pin(const Command &command) {
    const Step step = send(command);
    exchange_.wipe();
    if (const auto *loss = std::get_if<Loss>(&step)) return *loss;
    if (std::holds_alternative<Done>(step)) return Done{};
    const auto refused = std::get<Refused>(step);
    if (const auto tries = tries_in(refused.status)) return WrongPin{*tries};
    switch (refused.status.value) {
    case 0x6300:
        return WrongPin{};
    case blocked:
    case not_usable:
        return Blocked{};
    case null_pin:
        return NullPin{};
    default:
        return refused;
    }
}

PinOutcome Card::verify(const Pin &pin, const Secret &value) {
    if (const auto why = malformed(pin, value)) return *why;
    const Step step = enter_for(pin);
    if (const auto *loss = std::get_if<Loss>(&step)) return *loss;
    if (const auto *refused = std::get_if<Refused>(&step)) return *refused;
    return send_pin({0x00, ins::verify, 0x00, pin.reference, bytes_of(value.view()), 0});
}

PinOutcome Card::change(const Pin &pin, const Secret &current, const Secret &fresh) {
    if (const auto why = malformed(pin, fresh)) return *why;
    PinOutcome verified = verify(pin, current);
    if (!std::holds_alternative<Done>(verified)) return verified;
    return send_pin(
        {0x00, ins::change_reference_data, 0x01, pin.reference, bytes_of(fresh.view()), 0});
}

PinOutcome Card::unblock(const Pin &pin, const Secret &other) {
    if (pin.unblocked_by == nullptr)
        return NotPossible{"nothing is known that sets this PIN's counter back"};
    PinOutcome verified = verify(*pin.unblocked_by, other);
    if (!std::holds_alternative<Done>(verified)) return verified;
    const Step step = enter_for(pin);
    if (const auto *loss = std::get_if<Loss>(&step)) return *loss;
    if (const auto *refused = std::get_if<Refused>(&step)) return *refused;
    return send_pin({0x00, ins::reset_retry_counter, 0x03, pin.reference, {}, 0});
}

PinOutcome Card::set_null_pin(const Pin &pin, const Secret &fresh) {
    if (const auto why = malformed(pin, fresh)) return *why;
    const PinStatus status = pin_status(pin);
    if (const auto *loss = std::get_if<Loss>(&status)) return *loss;
    if (!std::holds_alternative<NullPin>(status))
        return NotPossible{"this PIN has been set before"};
    Secret both(transport_pin_size + fresh.size());
    both.resize(transport_pin_size);
    both.append(fresh.view());
    return send_pin(
        {0x00, ins::change_reference_data, 0x00, pin.reference, bytes_of(both.view()), 0});
}

} // namespace demail::tcos
