// What demail-cardd, or who pretends to be it, sends to a client: refused, or one message that is
// written back to the same bytes and whose sentences may be shown on a terminal.
#include "fuzz.hpp"
#include "wire/codec.hpp"

#include <algorithm>

namespace demail::fuzz {
namespace {

void may_be_shown(std::string_view text, bool lines = false) {
    HOLDS(std::none_of(text.begin(), text.end(), [&](char c) {
        const auto octet = static_cast<unsigned char>(c);
        return (octet < 0x20 && !(lines && c == '\n')) || octet == 0x7f;
    }));
}

void is_sound(const wire::ReplyBody &body) {
    if (const auto *list = std::get_if<wire::TokenList>(&body)) {
        HOLDS(list->tokens.size() <= wire::limit::tokens);
        for (const wire::Token &token : list->tokens) {
            may_be_shown(token.label);
            may_be_shown(token.reader);
            HOLDS(token.serial.size() <= wire::limit::name);
        }
    }
    if (const auto *list = std::get_if<wire::ObjectList>(&body)) {
        HOLDS(list->keys.size() <= wire::limit::keys);
        for (const wire::Certificate &certificate : list->certificates)
            HOLDS(certificate.der.size() <= wire::limit::certificate);
    }
    if (const auto *pins = std::get_if<wire::PinStates>(&body))
        for (const wire::PinState &pin : pins->pins) {
            HOLDS(pin.condition <= wire::PinCondition::null_pin);
            may_be_shown(pin.latched_by);
        }
    if (const auto *report = std::get_if<wire::ProbeReport>(&body))
        may_be_shown(report->text, true);
}

} // namespace

void wire_reply(std::string_view input) {
    const auto parsed = wire::parse_reply(input);
    if (!parsed) return;
    HOLDS(input.size() <= wire::limit::reply);
    HOLDS(wire::reply_frame(*parsed).view().substr(4) == input);
    may_be_shown(parsed->sentence);
    is_sound(parsed->body);
}

} // namespace demail::fuzz
