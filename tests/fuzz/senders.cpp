// A file of senders: what is taken reads back as it is, and the index finds
// what a walk through all rules finds.
#include "fuzz.hpp"
#include "message/ascii.hpp"
#include "message/sender_table.hpp"

#include <algorithm>

namespace demail::fuzz {
namespace {

const std::vector<std::string> domains{"firm.de-mail.de", "b.de-mail.de"};

void rule_holds(const SenderRule &rule) {
    HOLDS(faults_of(rule, domains, "rule").empty());
    HOLDS(rule.local || !rule.login.empty() || !rule.networks.empty());
    const auto again = parse_sender_line(sender_line(rule), "firm", domains);
    const auto *read = std::get_if<SenderRule>(&again);
    // A local part that needs quotes may hold a blank.
    HOLDS(read != nullptr || sender_line(rule).find('"') != std::string::npos);
    if (read != nullptr) HOLDS(sender_line(*read) == sender_line(rule));
}

/// All rules as they stand in the file.
std::vector<SenderRule> walk(std::string_view text) {
    std::vector<SenderRule> rules;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = ascii::trim(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.starts_with('#')) continue;
        auto rule = parse_sender_line(line, "firm", domains);
        if (auto *read = std::get_if<SenderRule>(&rule)) rules.push_back(std::move(*read));
    }
    return rules;
}

void same_decisions(const std::vector<SenderRule> &rules,
                    const std::shared_ptr<const SenderTable> &table) {
    const SenderRules walked(rules);
    const SenderRules indexed(std::vector<AccountRules>{{"firm", nullptr, true, table}});
    for (std::size_t i = 0; i < std::min<std::size_t>(rules.size(), 20); ++i) {
        const SenderRule &rule = rules[i];
        const auto star = Address::parse("anna@" + rule.from.domain());
        const auto sender = rule.delegate      ? rule.delegate
                            : rule.from.wild() ? star
                                               : rule.from.fill("");
        const Submitter who{sender, rule.login == "*" || rule.login == "any" ? "anna" : rule.login,
                            IpAddress::parse("10.1.1.1"), rule.local};
        const auto a = walked.find(who), b = indexed.find(who);
        HOLDS(a.right.has_value() == b.right.has_value());
        if (!a.right) continue;
        HOLDS(a.right->sender == b.right->sender);
        HOLDS(sender_line(*a.right->rule) == sender_line(*b.right->rule));
        HOLDS(indexed.find_mapping("firm", *sender, b.right->sender).right.has_value());
    }
}

} // namespace

void senders(std::string_view text) {
    auto outcome = SenderTable::parse(std::string(text), {"f", "firm", domains});
    if (const auto *faults = std::get_if<std::vector<SenderTable::Fault>>(&outcome)) {
        HOLDS(!faults->empty() && faults->size() <= SenderTable::most_faults + 2);
        for (const SenderTable::Fault &one : *faults)
            HOLDS(!one.sentence.empty() && one.sentence.size() < 1000 &&
                  std::all_of(one.sentence.begin(), one.sentence.end(),
                              [](char c) { return c >= ' ' && c <= '~'; }));
    } else {
        const auto rules = walk(text);
        const auto &table = std::get<std::shared_ptr<const SenderTable>>(outcome);
        HOLDS(rules.size() == table->size());
        for (const SenderRule &rule : rules)
            rule_holds(rule);
        same_decisions(rules, table);
    }
}

} // namespace demail::fuzz
