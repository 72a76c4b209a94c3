#include "relay/domain_tables.hpp"

#include "message/address.hpp"

#include <string_view>
#include <vector>

namespace demail::relay {

namespace {

// Longer alternations cost Postfix memory, shorter ones time.
constexpr std::size_t domains_in_a_line = 32;

constexpr std::string_view refusal =
    "\terror:5.1.3 This address holds a way to a De-Mail domain, write to the De-Mail address "
    "itself\n";

/// "" or the dot that stands for all sub-domains, and the name behind it.
struct Entry {
    std::string_view dot, name;
    explicit Entry(std::string_view domain)
        : dot(domain.substr(0, domain.starts_with('.') ? 1 : 0)), name(domain.substr(dot.size())) {}
};

std::string escaped(std::string_view name) {
    std::string pattern;
    for (const char c : name) {
        if (c == '.') pattern += '\\';
        pattern += c;
    }
    return pattern;
}

} // namespace

std::string index_text(const DomainSet &domains) {
    std::string text = domains.str();
    for (const auto &[domain, state] : domains.all()) {
        const Entry entry(domain);
        for (const std::string &other : u_label_spellings(entry.name))
            text.append(entry.dot).append(other).append(1, ' ').append(name(state)).append(1, '\n');
    }
    return text;
}

std::string hidden_text(const DomainSet &domains) {
    std::vector<std::string> patterns;
    for (const auto &[domain, state] : domains.all()) {
        if (below_de_mail(domain)) continue;
        const Entry entry(domain);
        const std::string before = entry.dot.empty() ? "(^|[^a-z0-9_.-])" : "\\.";
        patterns.push_back(before + escaped(entry.name));
        for (const std::string &other : u_label_spellings(entry.name))
            patterns.push_back(before + escaped(other));
    }
    std::string text = "# Written by demail-relay, for transport_maps in main.cf.\n";
    if (patterns.empty()) return text;
    text += "if /[%@!].*@/\n";
    for (std::size_t i = 0; i < patterns.size(); ++i) {
        text += i % domains_in_a_line == 0 ? "/(" : "|";
        text += patterns[i];
        if (i + 1 == patterns.size() || (i + 1) % domains_in_a_line == 0)
            text.append(")\\.*([^a-z0-9_.-].*)?@[^@]*$/").append(refusal);
    }
    return text + "endif\n";
}

} // namespace demail::relay
