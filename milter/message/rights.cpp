#include "message/rights.hpp"

#include "message/ascii.hpp"

#include <algorithm>

namespace demail {

namespace {

bool login_fits(const SenderRule &rule, const Submitter &who) {
    if (rule.login.empty()) return true;
    if (who.login.empty()) return false;
    if (rule.login == "any") return true;
    if (rule.login == "*") return ascii::equal(who.login, who.envelope_sender->local());
    return ascii::equal(who.login, rule.login);
}

bool network_fits(const SenderRule &rule, const Submitter &who) {
    if (rule.networks.empty()) return true;
    return who.client && std::any_of(rule.networks.begin(), rule.networks.end(),
                                     [&](const Network &one) { return one.contains(*who.client); });
}

// A rule that asks for nothing would make everyone a sender; sendmail(1) takes any envelope sender
// from any user of the host, so that a "*" would too. It shows neither login nor network.
bool entitles_anybody(const SenderRule &rule) {
    const bool asks = !rule.login.empty() || !rule.networks.empty();
    return rule.local ? !asks && !rule.from.wild() : asks;
}

bool submitter_fits(const SenderRule &rule, const Submitter &who) {
    if (rule.local || who.local) return rule.local && who.local;
    return login_fits(rule, who) && network_fits(rule, who);
}

// The De-Mail address that the rule makes of an address. "*" stands for its local part.
std::optional<Address> mapped(const SenderRule &rule, const Address &address) {
    if (!rule.from.match(address)) return std::nullopt;
    return rule.as.fill(ascii::lower(address.local()));
}

} // namespace

std::optional<AddressPattern> AddressPattern::parse(std::string_view text) {
    const auto address = Address::parse(text);
    if (!address) return std::nullopt;
    AddressPattern pattern;
    pattern.address_ = *address;
    pattern.wild_ = ascii::trim(text).starts_with("*@");
    if (!pattern.wild_ && address->local().find('*') != std::string::npos) return std::nullopt;
    return pattern;
}

std::optional<std::string> AddressPattern::match(const Address &address) const {
    if (wild_)
        return address.domain() == address_.domain() ? std::optional(ascii::lower(address.local()))
                                                     : std::nullopt;
    return address == address_ ? std::optional(std::string()) : std::nullopt;
}

std::optional<Address> AddressPattern::fill(std::string_view star) const {
    if (!wild_) return Address::parse(address_.lower());
    const std::string local = ascii::lower(star);
    const bool good =
        !local.empty() && local.size() <= 64 && std::all_of(local.begin(), local.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
                   c == '+' || c == '-';
        });
    if (!good) return std::nullopt;
    return Address::parse(local + '@' + address_.domain());
}

std::optional<Right> SenderRules::find(const Submitter &who) const {
    if (!who.envelope_sender) return std::nullopt;
    for (const SenderRule &rule : rules_) {
        if (!entitles_anybody(rule) || !submitter_fits(rule, who)) continue;
        if (auto sender = mapped(rule, *who.envelope_sender))
            return Right{&rule, std::move(*sender)};
    }
    return std::nullopt;
}

std::optional<Right> SenderRules::find_mapping(std::string_view account,
                                               const Address &envelope_sender,
                                               const Address &demail_sender) const {
    for (const SenderRule &rule : rules_) {
        if (rule.account != account || !entitles_anybody(rule)) continue;
        auto sender = mapped(rule, envelope_sender);
        if (sender && *sender == demail_sender) return Right{&rule, std::move(*sender)};
    }
    return std::nullopt;
}

std::optional<Address> SenderRules::map(const Right &right, const Address &envelope_sender,
                                        const Address &address) {
    if (address == right.sender) return right.sender;
    const SenderRule &rule = *right.rule;
    if (rule.login == "*" && !ascii::equal(address.local(), envelope_sender.local()))
        return std::nullopt;
    return mapped(rule, address);
}

} // namespace demail
