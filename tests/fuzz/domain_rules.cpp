// A provider's domain lists, one after the other, as an attacker would write them: version and
// domains are the input's records, NUL between them (XML carries none); an empty one ends a list.
#include "relay/domain_rules.hpp"

#include "fuzz.hpp"
#include "message/address.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace demail::fuzz {
namespace {

using relay::DomainMemory;
using relay::Domains;

const std::string provider = "fp";

bool own(const std::string &domain) {
    return domain.ends_with("own.example");
}

bool hinted(const std::string &domain) {
    return domain.starts_with("hint");
}

void was_checked(const std::string &domain, const DomainMemory &memory) {
    HOLDS(normal_domain(domain) == domain);
    HOLDS(domain.find('.') != std::string::npos);
    HOLDS(!own(domain));
    HOLDS(!relay::never_accepted(domain));
    // Outside de-mail.de only what DNS hinted at; no operator accepted anything here.
    if (!below_de_mail(domain)) HOLDS(hinted(domain) && memory.accepted.contains(domain));
    HOLDS(domain != "gmail.com" && domain != "co.uk" && domain != "t-online.de");
}

// What the list may have changed, and that the memory is what it is after a restart too.
void is_sound(const DomainMemory &memory) {
    for (const auto &[name, listed] : memory.providers) {
        HOLDS(name == provider);
        for (const std::string &domain : listed.domains) {
            was_checked(domain, memory);
            HOLDS(!memory.ended.contains(domain));
        }
        HOLDS(listed.waiting.size() <= DomainMemory::most_waiting);
        for (const std::string &domain : listed.waiting)
            HOLDS(!own(domain) && !relay::never_accepted(domain) &&
                  !listed.domains.contains(domain));
    }
    for (const std::string &domain : memory.accepted)
        HOLDS(hinted(domain));
    const auto again = DomainMemory::parse(memory.str());
    HOLDS(again && again->providers.size() == memory.providers.size());
    for (const auto &[name, listed] : memory.providers) {
        HOLDS(again->providers.contains(name));
        HOLDS(again->providers.find(name)->second.version == listed.version);
        HOLDS(again->providers.find(name)->second.domains == listed.domains);
        HOLDS(again->providers.find(name)->second.waiting == listed.waiting);
    }
    HOLDS(again->accepted == memory.accepted && again->ended == memory.ended);
}

void nothing_taken_leaves_the_list(const DomainMemory &before, const DomainMemory &after) {
    const auto old_list = before.providers.find(provider),
               new_list = after.providers.find(provider);
    HOLDS((old_list == before.providers.end()) == (new_list == after.providers.end()));
    if (old_list != before.providers.end())
        HOLDS(old_list->second.domains == new_list->second.domains &&
              old_list->second.version == new_list->second.version);
    HOLDS(before.accepted == after.accepted && before.ended == after.ended);
}

// More than 5 % at once is never taken, but for what is accepted already.
void changes_little(const DomainMemory &before, const DomainMemory &after) {
    const auto listed = before.providers.find(provider);
    if (listed == before.providers.end() || listed->second.domains.empty()) return;
    std::size_t changed = 0;
    const Domains &now = after.providers.find(provider)->second.domains;
    for (const std::string &domain : now)
        changed += !listed->second.domains.contains(domain) && !before.accepted.contains(domain);
    HOLDS(changed * 20 <= listed->second.domains.size());
}

} // namespace

void domain_rules(std::string_view text) {
    DomainMemory memory;
    Input input(text);
    for (int lists = 0; lists < 4 && !input.rest().empty(); ++lists) {
        const std::string version(input.until('\0'));
        std::vector<std::string> domains;
        for (std::string_view domain; !(domain = input.until('\0')).empty();)
            domains.emplace_back(domain);
        const DomainMemory before = memory;
        const auto change = relay::take_list(memory, provider, version, domains, {own, hinted});
        HOLDS(change.taken == change.alarm.empty());
        if (change.taken)
            changes_little(before, memory);
        else
            nothing_taken_leaves_the_list(before, memory);
        is_sound(memory);
    }
}

} // namespace demail::fuzz
