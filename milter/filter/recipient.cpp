#include "filter/recipient.hpp"

#include "message/ascii.hpp"

#include <string>

namespace demail::filter {
namespace {

bool part_could_be_demail(std::string_view part, const DomainSnapshot &domains) {
    while (part.ends_with('.'))
        part.remove_suffix(1);
    if (part.empty()) return false;
    const auto domain = normal_domain(part);
    if (!domain) return !ascii::only(part);
    return domains.find(*domain) != DomainStanding::ordinary;
}

bool any_part_could_be_demail(std::string_view text, const DomainSnapshot &domains) {
    // Where Postfix's rewriting (resolve(8), percent hack, swap_bangpath, source routes, quoted
    // local parts) may cut an address.
    constexpr std::string_view cuts = "@%!:,;<>()[]\"\\ \t\r\n";
    while (!text.empty()) {
        const std::size_t end = std::min(text.find_first_of(cuts), text.size());
        if (part_could_be_demail(text.substr(0, end), domains)) return true;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return false;
}

/// What a careless reader of an address leaves out, so that its two sides are read as one word.
bool left_out(char c) {
    return std::string_view(" \t\r\n\"\\<>").find(c) != std::string_view::npos;
}

std::string_view without_brackets(std::string_view text) {
    if (text.size() >= 2 && text.front() == '<' && text.back() == '>')
        return text.substr(1, text.size() - 2);
    return text;
}

/// A local part longer than RFC 5321 4.5.3.1.1 allows and otherwise plain (VERP and SRS make such):
/// its domain says whose it is, and Postfix judges the rest.
std::optional<std::string> domain_behind_a_long_local_part(std::string_view text) {
    constexpr std::size_t longest = 64;
    text = without_brackets(text);
    const std::size_t at = text.find('@');
    if (at == std::string_view::npos || at <= longest) return std::nullopt;
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        "!#$%&'*+-/=?^_`{|}~.";
    if (text.substr(0, at).find_first_not_of(plain) != std::string_view::npos) return std::nullopt;
    return normal_domain(text.substr(at + 1));
}

/// TR-01201 2.1: what a De-Mail address may have.
bool longer_than_demail(const Address &address) {
    constexpr std::size_t longest_local = 64, longest_domain = 189, longest = 253;
    return address.local().size() > longest_local || address.domain().size() > longest_domain ||
           address.str().size() > longest;
}

} // namespace

bool could_be_demail(std::string_view text, const DomainSnapshot &domains) {
    if (any_part_could_be_demail(text, domains)) return true;
    std::string joined;
    std::copy_if(text.begin(), text.end(), std::back_inserter(joined),
                 [](char c) { return !left_out(c); });
    return joined.size() != text.size() && any_part_could_be_demail(joined, domains);
}

RecipientReading read_recipient(std::string_view text, const DomainSnapshot &domains) {
    auto address = Address::parse(text);
    if (!address) {
        if (could_be_demail(text, domains)) return {RecipientKind::malformed_demail, std::nullopt};
        // Without a domain Postfix adds its own (<postmaster>).
        if (text.find('@') == std::string_view::npos || domain_behind_a_long_local_part(text))
            return {RecipientKind::ordinary, std::nullopt};
        return {RecipientKind::malformed, std::nullopt};
    }
    RecipientKind kind = RecipientKind::ordinary;
    switch (address->literal() ? DomainStanding::ordinary : domains.find(address->domain())) {
    case DomainStanding::ordinary:
        if (address->local().find_first_of("%!@:") != std::string::npos &&
            could_be_demail(address->local(), domains))
            kind = RecipientKind::hidden;
        break;
    case DomainStanding::demail:
        kind = !address->domain_as_written()  ? RecipientKind::not_as_written
               : longer_than_demail(*address) ? RecipientKind::too_long
                                              : RecipientKind::demail;
        break;
    case DomainStanding::ended:
        kind = address->domain_as_written() ? RecipientKind::ended : RecipientKind::not_as_written;
        break;
    case DomainStanding::hinted:
        kind = address->domain_as_written() ? RecipientKind::hinted : RecipientKind::not_as_written;
        break;
    case DomainStanding::in_change:
        kind = RecipientKind::in_change;
        break;
    case DomainStanding::unavailable:
        kind = RecipientKind::unavailable;
        break;
    }
    return {kind, std::move(address)};
}

RecipientReading read_recipient(std::string_view text, const DomainSnapshot &domains,
                                const EndedProviders &ended, std::string_view day) {
    RecipientReading reading = read_recipient(text, domains);
    if (!reading.address || reading.address->literal()) return reading;
    switch (reading.kind) {
    case RecipientKind::demail:
    case RecipientKind::too_long:
    case RecipientKind::ended:
    case RecipientKind::hinted:
        reading.provider = ended.find(reading.address->domain(), day);
        if (reading.provider != nullptr) reading.kind = RecipientKind::ended;
        break;
    case RecipientKind::ordinary:
    case RecipientKind::in_change:
    case RecipientKind::unavailable:
        reading.provider = ended.find(reading.address->domain(), day);
        if (reading.provider != nullptr) reading.kind = RecipientKind::ended_unrouted;
        break;
    default:
        break;
    }
    return reading;
}

Reply refusal(const RecipientReading &reading) {
    if (reading.provider != nullptr) return demail::refusal(*reading.provider);
    switch (reading.kind) {
    case RecipientKind::ended:
        return {550, "5.1.2",
                "The De-Mail provider of this domain has ended its service; reach the recipient "
                "by another address."};
    case RecipientKind::hinted:
        return refusal_of_hinted();
    case RecipientKind::too_long:
        return {553, "5.1.3",
                "This is longer than a De-Mail address can be (64 octets before the @, 189 after "
                "it, 253 in all); check the address."};
    case RecipientKind::in_change:
        return {451, "4.3.0",
                "This De-Mail domain is being added or removed; try again in a few minutes."};
    case RecipientKind::unavailable:
        return {451, "4.3.0", "The list of De-Mail domains is not available now; try again later."};
    case RecipientKind::not_as_written:
        return {553, "5.1.3",
                "Write the De-Mail domain of this recipient in plain ASCII letters, an "
                "international one in its xn-- form."};
    case RecipientKind::hidden:
        return {553, "5.1.3",
                "A De-Mail domain is hidden in the local part of this address; write the "
                "recipient as name@domain."};
    default:
        return {553, "5.1.3",
                "This is not an address that can be read in one way only; write the recipient as "
                "name@domain."};
    }
}

} // namespace demail::filter
