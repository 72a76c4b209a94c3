#include "relay/domain_rules.hpp"

#include "base/word.hpp"
#include "message/address.hpp"

#include <libpsl.h>

#include <algorithm>
#include <array>
#include <sstream>

namespace demail::relay {

namespace {

/// Where most people have ordinary mail: a provider that lists one of these is wrong or captured,
/// and all mail to it would go to the provider. United Internet's and Telekom's brands were De-Mail
/// providers under other domains.
constexpr std::array free_mail{
    "aol.com",     "arcor.de",   "email.de",     "freenet.de",     "gmail.com",      "gmx.at",
    "gmx.ch",      "gmx.com",    "gmx.de",       "gmx.net",        "googlemail.com", "hotmail.com",
    "hotmail.de",  "icloud.com", "kabelmail.de", "live.com",       "live.de",        "mail.de",
    "mailbox.org", "me.com",     "msn.com",      "online.de",      "outlook.com",    "outlook.de",
    "posteo.de",   "posteo.net", "proton.me",    "protonmail.com", "t-online.de",    "tutanota.com",
    "vodafone.de", "web.de",     "yahoo.com",    "yahoo.de",       "ymail.com",
};

constexpr double largest_change = 0.05;

std::size_t differences(const Domains &a, const Domains &b, const Domains &known_good) {
    std::vector<std::string> different;
    std::set_symmetric_difference(a.begin(), a.end(), b.begin(), b.end(),
                                  std::back_inserter(different));
    return static_cast<std::size_t>(
        std::count_if(different.begin(), different.end(),
                      [&](const std::string &one) { return !known_good.contains(one); }));
}

} // namespace

std::optional<std::string> never_accepted(std::string_view text) {
    if (text.find_first_of("*?") != std::string_view::npos) return "a wildcard";
    if (text.starts_with('[') || text.find(':') != std::string_view::npos)
        return "an address literal";
    const auto domain = normal_domain(text);
    if (!domain || domain->starts_with('.')) return "not a domain name";
    if (domain->find('.') == std::string::npos) return "a single label";
    if (domain->find_first_not_of("0123456789.") == std::string::npos) return "an IP address";
    if (below_de_mail(*domain)) return std::nullopt;
    if (psl_is_public_suffix(psl_builtin(), domain->c_str()) != 0)
        return "a public suffix, not somebody's domain";
    if (std::find(free_mail.begin(), free_mail.end(), *domain) != free_mail.end())
        return "a free-mail provider's domain";
    return std::nullopt;
}

DomainChange take_list(DomainMemory &memory, const std::string &provider,
                       const std::string &version, const std::vector<std::string> &domains,
                       const DomainQuestions &questions) {
    DomainChange change;
    Domains good;
    for (const std::string &text : domains) {
        if (const auto why = never_accepted(text))
            change.refused.push_back(text + ": " + *why);
        else
            good.insert(*normal_domain(text));
    }
    DomainMemory::Listed &listed = memory.providers[provider];
    listed.waiting.clear();
    const auto wait = [&listed](const std::string &domain) {
        if (listed.waiting.size() < DomainMemory::most_waiting) listed.waiting.insert(domain);
    };
    Domains taken, fresh, own, hinted;
    for (const std::string &domain : good)
        (below_de_mail(domain) || memory.accepted.contains(domain) ? taken : fresh).insert(domain);
    // What only waits changes nothing.
    const auto changed = [&] { return differences(listed.domains, taken, memory.accepted); };
    const auto too_many = [&] {
        return !listed.domains.empty() &&
               static_cast<double>(changed()) >
                   largest_change * static_cast<double>(listed.domains.size());
    };
    if (!too_many()) {
        for (const std::string &domain : good)
            if (questions.own(domain)) own.insert(domain);
        for (const std::string &domain : own) {
            change.refused.push_back(domain + ": one of our own domains");
            taken.erase(domain);
            fresh.erase(domain);
        }
        int hints = 0;
        for (const std::string &domain : fresh) {
            if (++hints <= DomainQuestions::most_srv_hints && questions.srv_hint(domain)) {
                hinted.insert(domain);
                taken.insert(domain);
            } else {
                change.refused.push_back(domain + ": new and without the SRV record of a De-Mail "
                                                  "domain; accept it by demailctl domains accept");
                wait(domain);
            }
        }
    }
    if (too_many()) {
        change.alarm = "the provider changed " + std::to_string(changed()) + " of " +
                       std::to_string(listed.domains.size()) +
                       " De-Mail domains at once; the old list stays until an administrator "
                       "accepts the new domains";
        // Nobody shall be asked to accept one of our own.
        for (const std::string &domain : good)
            if (!listed.domains.contains(domain) && !memory.accepted.contains(domain) &&
                listed.waiting.size() < DomainMemory::most_waiting && !questions.own(domain))
                wait(domain);
        return change;
    }
    memory.accepted.merge(hinted);
    for (const std::string &gone : listed.domains)
        if (!taken.contains(gone) && !own.contains(gone)) memory.ended.insert(gone);
    listed.version = version;
    listed.domains = std::move(taken);
    for (const auto &[name, one] : memory.providers)
        for (const std::string &domain : one.domains)
            memory.ended.erase(domain);
    change.taken = true;
    return change;
}

HintChange take_hints(const Domains &hinted, const DomainQuestions &questions) {
    HintChange change;
    for (const std::string &domain : hinted) {
        if (const auto why = never_accepted(domain))
            change.refused.push_back(domain + ": " + *why);
        else if (questions.own(domain))
            change.refused.push_back(domain + ": one of our own domains");
        else
            change.taken.insert(domain);
    }
    return change;
}

DomainSet list_from(const DomainMemory &memory, const EndedProviders &ended, std::string_view day,
                    const Domains &hints) {
    DomainSet list;
    for (const std::string &domain : memory.ended)
        list.set(domain, DomainState::ended);
    for (const auto &[provider, listed] : memory.providers)
        for (const std::string &domain : listed.domains)
            list.set(domain,
                     ended.find(domain, day) == nullptr ? DomainState::active : DomainState::ended);
    for (const auto &[domain, entry] : ended.all()) {
        if (ended.find(domain, day) == nullptr) continue;
        list.set(domain, DomainState::ended);
        if (entry.below) list.set("." + domain, DomainState::ended);
    }
    for (const std::string &domain : hints)
        if (!list.find(domain)) list.set(domain, DomainState::hinted);
    return list;
}

Domains DomainMemory::waiting() const {
    Domains all;
    for (const auto &[name, listed] : providers)
        all.insert(listed.waiting.begin(), listed.waiting.end());
    return all;
}

std::string DomainMemory::str() const {
    std::ostringstream out;
    for (const auto &[provider, listed] : providers) {
        out << "provider " << provider << ' ' << as_word(listed.version) << '\n';
        for (const std::string &domain : listed.domains)
            out << "listed " << provider << ' ' << domain << '\n';
        for (const std::string &domain : listed.waiting)
            out << "waiting " << provider << ' ' << domain << '\n';
    }
    for (const std::string &domain : accepted)
        out << "accepted " << domain << '\n';
    for (const std::string &domain : ended)
        out << "ended " << domain << '\n';
    return out.str();
}

std::optional<DomainMemory> DomainMemory::parse(std::string_view text) {
    DomainMemory memory;
    std::istringstream in{std::string(text)};
    std::string line;
    while (std::getline(in, line)) {
        std::istringstream words(line);
        std::string kind, first, second;
        words >> kind >> first;
        std::getline(words >> std::ws, second);
        if (first.empty()) return std::nullopt;
        if (kind == "provider") {
            auto version = text_of_word(second);
            if (!version) return std::nullopt;
            memory.providers[first].version = *std::move(version);
        } else if (kind == "listed" && !second.empty())
            memory.providers[first].domains.insert(second);
        else if (kind == "accepted")
            memory.accepted.insert(first);
        else if (kind == "ended")
            memory.ended.insert(first);
        else if (kind == "waiting" && !second.empty())
            memory.providers[first].waiting.insert(second);
        else
            return std::nullopt;
    }
    return memory;
}

} // namespace demail::relay
