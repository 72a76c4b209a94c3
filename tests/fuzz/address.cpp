// Addresses and domains: what parsed has one normal form, within its limits, and reads back as it.
#include "message/address.hpp"

#include "fuzz.hpp"
#include "message/rights.hpp"

#include <algorithm>

namespace demail::fuzz {
namespace {

bool host_name(std::string_view domain) {
    return !domain.empty() && domain.size() <= 255 && domain.front() != '.' &&
           std::all_of(domain.begin(), domain.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
                      c == '_';
           });
}

bool no_control(std::string_view text) {
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

void reads_back(const Address &address) {
    const std::string text = address.str();
    HOLDS(!address.local().empty() && address.local().size() <= 256);
    HOLDS(no_control(text));
    HOLDS(address.literal() || host_name(address.domain()));
    for (const std::string &written : {text, '<' + text + '>', ' ' + text + "\t(comment)"}) {
        const auto again = Address::parse(written);
        HOLDS(again.has_value());
        HOLDS(again->str() == text && again->local() == address.local());
        HOLDS(again->domain() == address.domain() && again->domain_as_written());
        HOLDS(*again == address);
    }
    const auto lower = Address::parse(address.lower());
    HOLDS(lower && lower->lower() == address.lower() && *lower == address);
    // The envelope and a header field must mean the same mailbox by the same text.
    const auto list = parse_mailboxes(text);
    HOLDS(list && list->size() == 1 && list->front().address.str() == text);
    HOLDS(list->front().display_name.empty());
}

} // namespace

void address(std::string_view text) {
    if (const auto address = Address::parse(text)) reads_back(*address);
    if (const auto domain = normal_domain(text)) {
        HOLDS(host_name(*domain));
        HOLDS(normal_domain(*domain) == domain);
        HOLDS(normal_domain(*domain + '.') == domain || domain->size() == 255);
        const auto address = Address::parse("a@" + *domain);
        HOLDS(address && address->domain() == *domain);
    }
    if (const auto pattern = AddressPattern::parse(text)) {
        const auto filled = pattern->fill("Anna.B");
        // A pattern that is one address gives it; a wild one may pass the longest address.
        if (filled) HOLDS(pattern->match(*filled).has_value());
        if (filled && pattern->wild()) HOLDS(*pattern->match(*filled) == "anna.b");
        HOLDS(!pattern->wild() || !pattern->fill("a@b") || pattern->domain().empty());
    }
    if (const auto network = Network::parse(text)) {
        const auto base = IpAddress::parse(text.substr(0, text.find('/')));
        HOLDS(base && network->contains(*base));
    }
}

} // namespace demail::fuzz
