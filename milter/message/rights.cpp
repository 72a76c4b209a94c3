#include "message/rights.hpp"

#include "message/ascii.hpp"
#include "message/sender_table.hpp"

#include <algorithm>
#include <utility>

namespace demail {

namespace {

// "*", or "*@firm.example" where people log in by a whole address.
bool login_follows_sender(const SenderRule &rule) {
    return rule.login == "*" || rule.login.starts_with("*@");
}

bool login_fits(const SenderRule &rule, const Submitter &who) {
    if (rule.login.empty()) return true;
    if (who.login.empty()) return false;
    if (rule.login == "any") return true;
    if (login_follows_sender(rule))
        return ascii::equal(who.login,
                            std::string(who.envelope_sender->local()) + rule.login.substr(1));
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

// Whose De-Mail address a message from this envelope sender has. The delegate's own address stands
// for the author's, which is one.
std::optional<Address> author_of(const SenderRule &rule, const Address &envelope_sender) {
    if (rule.delegate && *rule.delegate == envelope_sender) return rule.as.fill("");
    return mapped(rule, envelope_sender);
}

bool one_of(const std::vector<std::string> &domains, const std::string &domain) {
    return std::find(domains.begin(), domains.end(), domain) != domains.end();
}

void check_conditions(const SenderRule &rule, std::string_view title,
                      std::vector<RuleFault> &faults) {
    const bool asks = !rule.login.empty() || !rule.networks.empty();
    if (rule.local && rule.from.wild())
        faults.push_back({"from", "a rule with local = true must name one address in from, without "
                                  "*."});
    if (rule.local && asks)
        faults.push_back({"", "a rule with local = true fits sendmail(1) alone and can have "
                              "neither login nor network."});
    if (!rule.local && !asks)
        faults.push_back({"", "a sender rule must ask for login or network, or be local = true; "
                              "without, anybody could send."});
    const bool follows = login_follows_sender(rule);
    if (follows && !rule.from.wild())
        faults.push_back({"login", "* in login stands for what * in from stands for, but from has "
                                   "no *."});
    else if (rule.login == "*@" || rule.login.find('*', follows ? 1 : 0) != std::string::npos)
        faults.push_back(
            {"login", "login must be one login, \"*\", \"*@\" and a domain, or \"any\"."});
    if (rule.delegate.has_value() != rule.delegate_as.has_value())
        faults.push_back({"", std::string("delegate and delegate_as in ") + std::string(title) +
                                  " belong together: who writes, and her De-Mail address."});
}

// Named on both sides: who writes, as one login, and for whom, as one address.
void check_delegation(const SenderRule &rule, std::vector<RuleFault> &faults) {
    if (rule.from.wild())
        faults.push_back({"from", "a rule with a delegate must name in from the one address that "
                                  "she writes for, without *."});
    if (rule.local || rule.login.empty() || rule.login == "any" || login_follows_sender(rule))
        faults.push_back({"", "a rule with a delegate must ask for her login, by name."});
    if (rule.from.match(*rule.delegate))
        faults.push_back({"delegate", "delegate is the address in from; nobody writes for "
                                      "themselves by a rule of this kind."});
}

} // namespace

std::vector<RuleFault> faults_of(const SenderRule &rule, const std::vector<std::string> &domains,
                                 std::string_view title) {
    std::vector<RuleFault> faults;
    const auto strange = [&](std::string_view key) {
        faults.push_back({key, "the domain of " + std::string(key) + " in " + std::string(title) +
                                   " is none of the account's domains."});
    };
    if (!one_of(domains, rule.as.domain())) strange("as");
    if (rule.delegate_as && !one_of(domains, rule.delegate_as->domain())) strange("delegate_as");
    if (rule.as.wild() && !rule.from.wild())
        faults.push_back({"as", "* in as stands for what * in from stands for, but from has no "
                                "*."});
    check_conditions(rule, title, faults);
    if (rule.delegate) check_delegation(rule, faults);
    return faults;
}

std::optional<AddressPattern> AddressPattern::parse(std::string_view text) {
    const auto address = Address::parse(text);
    if (!address) return std::nullopt;
    AddressPattern pattern;
    pattern.address_ = *address;
    pattern.wild_ = ascii::trim(text).starts_with("*@");
    if (!pattern.wild_ && address->local().find('*') != std::string::npos) return std::nullopt;
    return pattern;
}

std::string AddressPattern::str() const {
    return wild_ ? "*@" + address_.domain() : address_.lower();
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

std::optional<Address> entitled(const SenderRule &rule, const Submitter &who) {
    if (!who.envelope_sender || !entitles_anybody(rule) || !submitter_fits(rule, who))
        return std::nullopt;
    return author_of(rule, *who.envelope_sender);
}

std::optional<Address> entitled(const SenderRule &rule, const Address &envelope_sender) {
    if (!entitles_anybody(rule)) return std::nullopt;
    return author_of(rule, envelope_sender);
}

SenderRules::SenderRules(std::vector<SenderRule> rules) {
    std::vector<std::vector<SenderRule>> runs;
    for (SenderRule &rule : rules) {
        if (accounts_.empty() || accounts_.back().account != rule.account) {
            accounts_.push_back({rule.account, nullptr});
            runs.emplace_back();
        }
        runs.back().push_back(std::move(rule));
    }
    for (std::size_t i = 0; i < runs.size(); ++i)
        accounts_[i].rules = std::make_shared<const std::vector<SenderRule>>(std::move(runs[i]));
}

// `of` has two forms: what a rule gives, and what a file's table gives.
template <typename Of>
RightsAnswer SenderRules::first(const Of &of) const {
    for (const AccountRules &account : accounts_) {
        if (account.rules) {
            for (const SenderRule &rule : *account.rules)
                if (auto sender = of(rule))
                    return {Right{{account.rules, &rule}, std::move(*sender)}, false};
        }
        if (!account.has_file) continue;
        // A later rule must not decide what this file might.
        if (!account.file) return {std::nullopt, true};
        if (auto right = of(*account.file)) return {std::move(right), false};
    }
    return {};
}

namespace {

/// Which of the rules that entitle `who` are wanted.
struct Wanted {
    const Submitter &who;
    bool delegating = false;
    const Address *author = nullptr; ///< with delegating: for whom; null: for anybody

    std::optional<Address> operator()(const SenderRule &rule) const {
        if (rule.delegates() != delegating) return std::nullopt;
        auto sender = entitled(rule, who);
        if (sender && author != nullptr && !rule.from.match(*author) && !(*author == *sender))
            return std::nullopt;
        return sender;
    }
    std::optional<Right> operator()(const SenderTable &table) const {
        return table.find(who, [this](const SenderRule &rule) { return (*this)(rule); });
    }
};

} // namespace

RightsAnswer SenderRules::find(const Submitter &who) const {
    if (!who.envelope_sender) return {};
    auto own = first(Wanted{who});
    if (own.right || own.not_known) return own;
    return first(Wanted{who, true});
}

RightsAnswer SenderRules::find_delegation(const Submitter &who, const Address &author) const {
    if (!who.envelope_sender) return {};
    return first(Wanted{who, true, &author});
}

RightsAnswer SenderRules::find_mapping(std::string_view account, const Address &envelope_sender,
                                       const Address &demail_sender, const Suits &suits) const {
    RightsAnswer answer;
    // True: it is the one.
    const auto offer = [&](Right right) {
        const bool good = !suits || suits(right);
        if (good || !answer.right) answer.right = std::move(right);
        return good;
    };
    for (const AccountRules &one : accounts_) {
        if (one.account != account) continue;
        if (one.rules) {
            for (const SenderRule &rule : *one.rules) {
                const auto sender = entitled(rule, envelope_sender);
                if (sender && *sender == demail_sender &&
                    offer({{one.rules, &rule}, demail_sender}))
                    return answer;
            }
        }
        if (!one.has_file) continue;
        if (!one.file) return {std::nullopt, true};
        if (one.file->find_mapping(envelope_sender, demail_sender, offer)) return answer;
    }
    return answer;
}

std::optional<Address> SenderRules::map(const Right &right, const Address &envelope_sender,
                                        const Address &address) {
    if (address == right.sender) return right.sender;
    const SenderRule &rule = *right.rule;
    if (rule.delegate) {
        if (address == *rule.delegate || address == *rule.delegate_as) return rule.delegate_as;
        return mapped(rule, address);
    }
    if (login_follows_sender(rule) && !ascii::equal(address.local(), envelope_sender.local()))
        return std::nullopt;
    return mapped(rule, address);
}

bool SenderRules::names_domain(std::string_view domain) const {
    return std::any_of(accounts_.begin(), accounts_.end(), [&](const AccountRules &one) {
        const bool in_rules = one.rules && std::any_of(one.rules->begin(), one.rules->end(),
                                                       [&](const SenderRule &rule) {
                                                           return rule.from.domain() == domain;
                                                       });
        return in_rules || (one.file && one.file->domains().contains(domain));
    });
}

} // namespace demail
