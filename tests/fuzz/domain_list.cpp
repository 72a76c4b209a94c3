// The domain list's text, which the milter and postmap read, and the relay's memory of the lists.
#include "fuzz.hpp"
#include "message/address.hpp"
#include "message/domain_set.hpp"
#include "relay/domain_rules.hpp"

#include <string>

namespace demail::fuzz {
namespace {

void set_reads_back(const DomainSet &set) {
    const std::string text = set.str();
    const auto again = DomainSet::parse(text);
    HOLDS(again && again->all() == set.all() && again->str() == text);
    HOLDS(set.find("de-mail.de") == DomainState::active);
    HOLDS(set.find("any.firm.de-mail.de").has_value());
    for (const auto &[entry, state] : set.all()) {
        const bool below = entry.starts_with('.');
        const std::string domain = below ? "x" + entry : entry;
        HOLDS(normal_domain(domain) == domain);
        HOLDS(set.find(entry) == state && set.find(domain).has_value());
    }
}

bool same(const relay::DomainMemory &a, const relay::DomainMemory &b) {
    const auto same_list = [](const auto &x, const auto &y) {
        return x.first == y.first && x.second.version == y.second.version &&
               x.second.domains == y.second.domains && x.second.waiting == y.second.waiting;
    };
    return std::equal(a.providers.begin(), a.providers.end(), b.providers.begin(),
                      b.providers.end(), same_list) &&
           a.accepted == b.accepted && a.ended == b.ended;
}

} // namespace

void domain_list(std::string_view text) {
    if (const auto set = DomainSet::parse(text)) set_reads_back(*set);
    if (const auto memory = relay::DomainMemory::parse(text)) {
        const auto again = relay::DomainMemory::parse(memory->str());
        HOLDS(again && same(*again, *memory));
        HOLDS(again->str() == memory->str());
    }
}

} // namespace demail::fuzz
