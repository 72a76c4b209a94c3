#include "journal/words.hpp"

#include "base/digest.hpp"
#include "message/utf8.hpp"

#include <algorithm>

namespace demail::journal {

namespace {

constexpr std::size_t longest = 998;

} // namespace

std::string_view name(State state) noexcept {
    switch (state) {
    case State::submitting:
        return "submitting";
    case State::accepted:
        return "accepted";
    case State::refused:
        return "refused";
    case State::deferred:
        return "deferred";
    case State::uncertain:
        return "uncertain";
    case State::abandoned:
        return "abandoned";
    }
    return "?";
}

std::optional<State> state_named(std::string_view text) noexcept {
    for (const State state : {State::submitting, State::accepted, State::refused, State::deferred,
                              State::uncertain, State::abandoned})
        if (name(state) == text) return state;
    return std::nullopt;
}

State state_in(std::string_view text) {
    if (const auto state = state_named(text)) return *state;
    throw Unavailable("the journal holds a state that this version does not know");
}

RecipientField field_in(std::string_view text) {
    if (const auto field = recipient_field(text)) return *field;
    throw Unavailable("the journal holds a recipient field that this version does not know");
}

std::optional<Nonce> nonce_in(std::string_view hex_digits) {
    const auto octets = from_hex(hex_digits);
    Nonce n{};
    if (!octets || octets->size() != n.size()) return std::nullopt;
    std::copy(octets->begin(), octets->end(), n.begin());
    return n;
}

bool is_final(State state) noexcept {
    return state == State::accepted || state == State::refused;
}

std::string storable(std::string_view text) {
    std::string fit(text.substr(0, longest));
    if (text.size() > longest) // not amid a character
        while (!fit.empty() && (static_cast<unsigned char>(text[fit.size()]) & 0xc0U) == 0x80)
            fit.pop_back();
    if (!is_printable_utf8(fit))
        std::replace_if(
            fit.begin(), fit.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return fit;
}

} // namespace demail::journal
