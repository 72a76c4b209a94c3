#include "message/domain_set.hpp"

#include "message/address.hpp"
#include "message/ascii.hpp"

#include <array>

namespace demail {

namespace {

constexpr std::array<std::string_view, 2> always{"de-mail.de", ".de-mail.de"};

bool is_always(std::string_view domain) noexcept {
    return domain == always[0] || domain == always[1];
}

std::optional<DomainState> state_named(std::string_view word) noexcept {
    if (word.empty()) return DomainState::active;
    for (const DomainState state : {DomainState::active, DomainState::ended, DomainState::hinted})
        if (word == name(state)) return state;
    return std::nullopt;
}

// postmap indexes the very text: a name that it would not find must not be found here either.
bool is_entry(std::string_view domain) {
    const std::string_view name = domain.starts_with('.') ? domain.substr(1) : domain;
    return normal_domain(name) == std::string(name);
}

} // namespace

std::string_view name(DomainState state) noexcept {
    switch (state) {
    case DomainState::active:
        return "active";
    case DomainState::ended:
        return "ended";
    default:
        return "hinted";
    }
}

Reply refusal_of_hinted() {
    return {550, "5.7.1",
            "DNS names this domain as a De-Mail domain, but no De-Mail provider of ours lists it; "
            "not sent, lest it leave as ordinary mail. Ask the administrator (demailctl domains)"};
}

bool below_de_mail(std::string_view domain) noexcept {
    return domain == "de-mail.de" || domain.ends_with(".de-mail.de");
}

DomainSet::DomainSet() {
    for (const std::string_view domain : always)
        domains_.emplace(std::string(domain), DomainState::active);
}

std::optional<DomainSet> DomainSet::parse(std::string_view text) {
    DomainSet set;
    std::map<std::string, DomainState, std::less<>> seen;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        // To postmap a line that begins with a blank continues the one above.
        const bool continues = !line.empty() && ascii::blank(line.front());
        line = ascii::trim(line);
        if (line.empty() || line.front() == '#') continue;
        if (continues) return std::nullopt;
        const std::size_t gap = line.find_first_of(" \t");
        std::string domain = ascii::lower(line.substr(0, gap));
        const auto state = state_named(
            gap == std::string_view::npos ? std::string_view() : ascii::trim(line.substr(gap)));
        if (!state || !is_entry(domain)) return std::nullopt;
        const auto [place, fresh] = seen.emplace(domain, *state);
        if (!fresh && place->second != *state) return std::nullopt;
        set.set(std::move(domain), *state);
    }
    return set;
}

std::string DomainSet::str() const {
    std::string text;
    for (const auto &[domain, state] : domains_)
        text.append(domain).append(1, ' ').append(name(state)).append(1, '\n');
    return text;
}

void DomainSet::set(std::string domain, DomainState state) {
    if (!is_always(domain)) domains_.insert_or_assign(std::move(domain), state);
}

void DomainSet::erase(std::string_view domain) {
    if (is_always(domain)) return;
    if (const auto place = domains_.find(domain); place != domains_.end()) domains_.erase(place);
}

std::optional<DomainState> DomainSet::find(std::string_view domain) const {
    const std::string lower = ascii::lower(domain);
    if (const auto exact = domains_.find(lower); exact != domains_.end()) return exact->second;
    // The nearest parent first, as transport(5) looks them up.
    for (std::size_t dot = lower.find('.', 1); dot != std::string::npos;
         dot = lower.find('.', dot + 1))
        if (const auto parent = domains_.find(std::string_view(lower).substr(dot));
            parent != domains_.end())
            return parent->second;
    return std::nullopt;
}

} // namespace demail
