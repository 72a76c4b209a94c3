#include "admin/account_section.hpp"

#include "admin/network_list.hpp"
#include "base/edit_distance.hpp"
#include "base/log.hpp"
#include "crypto/key_uri.hpp"
#include "message/address.hpp"
#include "message/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace demail {
namespace {

struct LocatedPattern {
    AddressPattern pattern;
    toml::source_position at{};
};

std::optional<LocatedPattern> read_pattern(Section &section, std::string_view key) {
    const auto value = section.required_text(key);
    if (!value) return std::nullopt;
    // "*" stands for a whole local part; elsewhere a reader would expect what it does not do.
    const std::string_view text = value->text;
    const bool misplaced = text.find('*', text.starts_with("*@") ? 1 : 0) != text.npos;
    auto pattern = misplaced ? std::nullopt : AddressPattern::parse(text);
    if (pattern) return LocatedPattern{std::move(*pattern), value->at};
    section.fault(value->at, fmt::format("{} in {} must be an address such as anna@firm.example or "
                                         "*@firm.example.",
                                         key, section.title()));
    return std::nullopt;
}

/// Reports the domain of `pattern` where it is none of the account's.
void check_domain(Section &section, std::string_view key, const LocatedPattern &pattern,
                  const std::vector<std::string> &domains) {
    if (std::find(domains.begin(), domains.end(), pattern.pattern.domain()) != domains.end())
        return;
    section.fault(pattern.at,
                  fmt::format("the domain of {} in {} is none of the account's domains.", key,
                              section.title()));
}

std::optional<Address> read_address(Section &section, std::string_view key,
                                    toml::source_position &at) {
    const auto value = section.text(key);
    if (!value) return std::nullopt;
    at = value->at;
    auto address =
        value->text.find('*') == value->text.npos ? Address::parse(value->text) : std::nullopt;
    if (!address)
        section.fault(value->at,
                      fmt::format("{} in {} must be one address.", key, section.title()));
    return address;
}

void read_networks(Section &section, SenderRule &rule) {
    for (const auto &[network, text] : read_networks(section, "network")) {
        if (network.loopback())
            section.faults().warning(text.at, "network names the loopback: every program of this "
                                              "host that reaches Postfix may then send.");
        if (text.text.ends_with("/0") && rule.login.empty())
            section.faults().warning(text.at,
                                     "network names every address there is, and no login is asked "
                                     "for.");
        rule.networks.push_back(network);
    }
}

void read_sender(FaultList &faults, const toml::table &table, const AccountConfiguration &account,
                 std::vector<SenderRule> &rules) {
    Section section(faults, table, "[[account.sender]]");
    SenderRule rule;
    std::map<std::string_view, toml::source_position> places;
    rule.account = account.name;
    const auto from = read_pattern(section, "from");
    const auto as = read_pattern(section, "as");
    if (const auto login = section.text("login")) {
        rule.login = login->text;
        places["login"] = login->at;
    }
    read_networks(section, rule);
    rule.local = section.boolean("local").value_or(false);
    rule.defaults = read_options(section, "defaults");
    rule.allow = read_options(section, "allow");
    rule.automatic = section.boolean("automatic").value_or(false);
    rule.delegate = read_address(section, "delegate", places["delegate"]);
    rule.delegate_as = read_address(section, "delegate_as", places["delegate_as"]);
    section.finish();
    if (!from || !as) return;
    rule.from = from->pattern;
    rule.as = as->pattern;
    places["from"] = from->at;
    places["as"] = as->at;
    // A network that is faulty was said already, and is asked for all the same.
    if (rule.networks.empty() && section.has("network")) return;
    for (RuleFault &fault : faults_of(rule, account.domains, section.title())) {
        const auto place = places.find(fault.key);
        section.fault(place == places.end() ? section.at() : place->second,
                      std::move(fault.sentence));
    }
    rules.push_back(std::move(rule));
}

void read_mailbox(FaultList &faults, const toml::table &table, AccountConfiguration &account) {
    Section section(faults, table, "[[account.mailbox]]");
    const auto address = read_pattern(section, "address");
    const auto deliver = read_pattern(section, "deliver");
    section.finish();
    if (address) check_domain(section, "address", *address, account.domains);
    if (!address || !deliver) return;
    if (deliver->pattern.wild() && !address->pattern.wild())
        section.fault(deliver->at, "* in deliver stands for what * in address stands for, but "
                                   "address has no *.");
    account.mailboxes.push_back({address->pattern, deliver->pattern});
}

std::vector<std::string> read_domains(Section &section) {
    std::vector<std::string> domains;
    if (!section.has("domains")) section.fault(section.at(), "[[account]] has no domains.");
    for (const Located &text : section.texts("domains").value_or(std::vector<Located>{})) {
        auto domain = normal_domain(text.text);
        if (!domain || domain->find('.') == std::string::npos ||
            domain->find('*') != std::string::npos)
            section.fault(text.at, fmt::format("\"{}\" is no domain.",
                                               log::escaped(text.text.substr(0, 255))));
        else if (std::find(domains.begin(), domains.end(), *domain) != domains.end())
            section.fault(text.at, fmt::format("domain {} is named twice.", *domain));
        else
            domains.push_back(std::move(*domain));
    }
    return domains;
}

void check_provider(Section &section, const Located &name, const AccountConfiguration &account,
                    const Configuration &configuration) {
    const auto provider =
        std::find_if(configuration.providers.begin(), configuration.providers.end(),
                     [&](const ProviderConfiguration &one) { return one.name == name.text; });
    if (provider == configuration.providers.end())
        section.fault(name.at, fmt::format("there is no [[provider]] with the name \"{}\".",
                                           log::escaped(name.text)));
    else if (provider->auth_key.empty() && account.auth_key.empty() && !section.has("auth_key"))
        section.fault(section.at(), fmt::format("neither this [[account]] nor its provider \"{}\" "
                                                "has an auth_key.",
                                                provider->name));
}

} // namespace

OptionSet read_options(Section &section, std::string_view key) {
    OptionSet options;
    if (!section.has(key)) return section.texts(key), options;
    for (const Located &name : section.texts(key).value_or(std::vector<Located>{})) {
        if (const auto option = option_named(name.text)) {
            options.set(*option);
            continue;
        }
        const auto nearest =
            std::min_element(all_options.begin(), all_options.end(), [&](Option a, Option b) {
                return edit_distance(name.text, demail::name(a)) <
                       edit_distance(name.text, demail::name(b));
            });
        section.fault(name.at,
                      fmt::format("unknown option \"{}\" in {}; the nearest known option is "
                                  "\"{}\".",
                                  log::escaped(name.text.substr(0, 64)), key,
                                  demail::name(*nearest)));
    }
    return options;
}

std::optional<Located> read_name(Section &section, std::string_view key) {
    auto name = section.required_text(key);
    if (!name) return std::nullopt;
    const bool good =
        name->text.size() <= 64 && std::all_of(name->text.begin(), name->text.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '.' || c == '_' || c == '-';
        });
    if (good) return name;
    section.fault(name->at, fmt::format("{} in {} must be at most 64 letters, digits, '.', '_' or "
                                        "'-'.",
                                        key, section.title()));
    return std::nullopt;
}

std::string read_key_uri(Section &section, std::string_view key) {
    const auto value = section.text(key);
    if (!value) return {};
    if (!value->text.starts_with("pkcs11:")) {
        section.fault(value->at, fmt::format("{} in {} must be a PKCS#11 URI (RFC 7512), "
                                             "pkcs11:token=…;object=….",
                                             key, section.title()));
        return {};
    }
    const auto uri = crypto::KeyUri::parse(value->text);
    if (const auto *sentence = std::get_if<std::string>(&uri)) {
        section.fault(value->at, fmt::format("{} in {}: {}", key, section.title(), *sentence));
        return {};
    }
    return value->text;
}

std::optional<std::chrono::days> read_retention(Section &section, std::string_view key,
                                                const Configuration &configuration) {
    const auto days = section.integer(key, 30, 36500);
    if (!days) return std::nullopt;
    if (std::chrono::days(*days) <= configuration.seal_lifetime)
        section.fault(section.at(), fmt::format("{} in {} must be more than lifetime_days in "
                                                "[seal]: what can still be sent needs its "
                                                "evidence.",
                                                key, section.title()));
    return std::chrono::days(*days);
}

void read_account(FaultList &faults, const toml::table &table, Configuration &configuration,
                  std::vector<SenderRule> &rules) {
    Section section(faults, table, "[[account]]");
    AccountConfiguration account;
    if (const auto name = read_name(section, "name")) {
        account.name = name->text;
        const bool twice =
            std::any_of(configuration.accounts.begin(), configuration.accounts.end(),
                        [&](const AccountConfiguration &one) { return one.name == account.name; });
        if (twice)
            section.fault(name->at, fmt::format("there are two accounts with the name \"{}\".",
                                                account.name));
    }
    const auto provider = section.required_text("provider");
    account.domains = read_domains(section);
    account.auth_key = read_key_uri(section, "auth_key");
    account.sign_key = read_key_uri(section, "sign_key");
    if (account.sign_key.empty()) account.sign_key = account.auth_key;
    if (provider) {
        account.provider = provider->text;
        check_provider(section, *provider, account, configuration);
    }
    account.retention = read_retention(section, "retention_days", configuration);
    if (auto file = section.path("senders_file")) account.senders_file = std::move(file->text);
    if (const auto age = section.integer("senders_max_age", 1, 100 * 86400)) {
        account.senders_max_age = std::chrono::seconds(*age);
        if (!section.has("senders_file"))
            section.fault(section.at(), "[[account]] has senders_max_age, but no senders_file.");
    }
    for (const toml::table *sender : section.tables("sender", "[[account.sender]]"))
        read_sender(faults, *sender, account, rules);
    for (const toml::table *mailbox : section.tables("mailbox", "[[account.mailbox]]"))
        read_mailbox(faults, *mailbox, account);
    section.finish();
    configuration.accounts.push_back(std::move(account));
}

} // namespace demail
