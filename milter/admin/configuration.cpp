#include "admin/configuration.hpp"

#include "admin/account_section.hpp"
#include "admin/directory_section.hpp"
#include "admin/hints_section.hpp"
#include "admin/network_list.hpp"
#include "admin/tls_section.hpp"
#include "base/log.hpp"
#include "daemon/toml_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace demail {
namespace {

/// Keys of [poll] and the like come with later versions; until then nobody may think they work.
constexpr std::string_view reserved_tables[] = {"poll", "alarm", "status", "hook"};

void assign(std::string &to, std::optional<Located> from) {
    if (from) to = std::move(from->text);
}

void assign(std::chrono::seconds &to, std::optional<std::int64_t> from) {
    if (from) to = std::chrono::seconds(*from);
}

/// One of two words; true for the second.
bool read_choice(Section &section, std::string_view key, std::string_view first,
                 std::string_view second) {
    const auto value = section.text(key);
    if (value && value->text != first && value->text != second)
        section.fault(value->at, fmt::format("{} must be \"{}\" or \"{}\".", key, first, second));
    return value && value->text == second;
}

/// postgresql://[user@][host][:port][,…][/database][?parameters], as libpq reads it. A password in
/// it would be shown by all that shows a configuration.
void check_postgresql(Section &section, const Located &value) {
    const std::string_view url = value.text;
    const std::size_t start = url.find("//") + 2;
    const std::string_view authority = url.substr(start, url.find_first_of("/?#", start) - start);
    const std::size_t at = authority.rfind('@');
    if (url.find("password") != std::string_view::npos ||
        (at != std::string_view::npos &&
         authority.substr(0, at).find(':') != std::string_view::npos))
        section.fault(value.at, "journal in [relay] must not hold a password: name a file for it, "
                                "postgresql://…?passfile=/etc/demail/journal.pass.");
    else if (!std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < 0x7f; }))
        section.fault(value.at, "journal in [relay] must be a URI: other characters than visible "
                                "ASCII stand as %XX in it.");
}

void read_journal(Section &section, Configuration &configuration) {
    const auto value = section.text("journal");
    if (!value) return;
    constexpr std::string_view sqlite = "sqlite3://";
    const std::string_view text = value->text;
    if (text.starts_with("postgresql://"))
        check_postgresql(section, *value);
    else if (!text.starts_with(sqlite) || !text.substr(sqlite.size()).starts_with('/') ||
             text.ends_with('/'))
        section.fault(value->at, "journal in [relay] must be sqlite3:// and an absolute path, "
                                 "sqlite3:///var/lib/demail/journal.db, or postgresql://.");
    configuration.journal = text;
}

void read_deliver_to(Section &section, Configuration &configuration) {
    const auto value = section.text("deliver_to");
    if (!value) return;
    if (value->text.starts_with("unix:/"))
        configuration.deliver_to = value->text;
    else
        section.fault(value->at, "deliver_to in [relay] must be unix: and an absolute path.");
}

void read_relay(FaultList &faults, const toml::table &table, Configuration &configuration) {
    Section section(faults, table, "[relay]");
    assign(configuration.lmtp_socket, section.socket_path("lmtp"));
    assign(configuration.lmtp_peer, section.text("lmtp_peer"));
    read_deliver_to(section, configuration);
    assign(configuration.domains, section.path("domains"));
    assign(configuration.spool, section.path("spool"));
    assign(configuration.evidence, section.path("evidence"));
    assign(configuration.refused_pins, section.path("refused_pins"));
    read_journal(section, configuration);
    if (section.has("name")) assign(configuration.relay_name, read_name(section, "name"));
    assign(configuration.control_socket, section.socket_path("control_socket"));
    assign(configuration.postfix_configuration, section.path("postfix_configuration"));
    assign(configuration.schema_directory, section.path("schema_directory"));
    assign(configuration.domains_refresh, section.integer("domains_refresh", 1, 7 * 86400));
    assign(configuration.domains_settle, section.integer("domains_settle", 0, 3600));
    assign(configuration.lookup_pause, section.integer("lookup_pause", 0, 3600));
    assign(configuration.given_up_after, section.integer("given_up_after", 1, 100 * 86400));
    section.finish();
}

/// https://host[:port][/path]; no user, no fragment (RFC 3986), nothing that would need quoting.
bool good_endpoint(std::string_view url) {
    constexpr std::string_view scheme = "https://";
    if (!url.starts_with(scheme)) return false;
    const bool printable = std::all_of(url.begin(), url.end(), [](char c) {
        return c > ' ' && c < 0x7f && std::string_view("\"<>\\^`{|}#").find(c) == std::string::npos;
    });
    const std::string_view authority =
        url.substr(scheme.size(), url.find_first_of("/?", scheme.size()) - scheme.size());
    return printable && !authority.empty() && !authority.starts_with(':') &&
           authority.find('@') == std::string_view::npos;
}

bool hex_digest(std::string_view text) {
    return text.size() == 64 &&
           text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

std::vector<std::string> read_signers(Section &section) {
    std::vector<std::string> signers;
    if (!section.has("reply_signer"))
        section.fault(section.at(), "[[provider]] has no reply_signer: replies could be made by "
                                    "anybody under the same CA.");
    for (Located &value : section.texts("reply_signer").value_or(std::vector<Located>{})) {
        constexpr std::string_view prefix = "sha256:";
        if (value.text.starts_with(prefix) &&
            hex_digest(std::string_view(value.text).substr(prefix.size()))) {
            std::transform(value.text.begin(), value.text.end(), value.text.begin(), [](char c) {
                return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
            });
        } else if (!value.text.starts_with('/')) {
            section.fault(value.at, "reply_signer in [[provider]] must hold sha256: and 64 hex "
                                    "digits, or the absolute path of a certificate.");
            continue;
        }
        signers.push_back(std::move(value.text));
    }
    return signers;
}

LookUps read_look_ups(Section &section) {
    const auto text = section.text("lookup_recipients");
    if (!text || text->text == "private") return LookUps::for_private;
    if (text->text == "always") return LookUps::always;
    if (text->text != "never")
        section.fault(text->at, "lookup_recipients in [[provider]] must be \"private\", \"always\" "
                                "or \"never\".");
    return LookUps::never;
}

void read_provider(FaultList &faults, const toml::table &table, Configuration &configuration) {
    Section section(faults, table, "[[provider]]");
    ProviderConfiguration provider;
    if (const auto name = read_name(section, "name")) {
        provider.name = name->text;
        const bool twice =
            std::any_of(configuration.providers.begin(), configuration.providers.end(),
                        [&](const ProviderConfiguration &one) { return one.name == name->text; });
        if (twice)
            section.fault(name->at,
                          fmt::format("there are two providers with the name \"{}\".", name->text));
    }
    if (const auto profile = section.required_text("profile")) {
        provider.profile = profile->text;
        if (profile->text != "reference")
            section.fault(profile->at, fmt::format("profile \"{}\" is not in this version; it has "
                                                   "\"reference\" alone.",
                                                   log::escaped(profile->text)));
    }
    if (const auto endpoint = section.required_text("endpoint")) {
        provider.endpoint = endpoint->text;
        if (!good_endpoint(endpoint->text))
            section.fault(endpoint->at, "endpoint in [[provider]] must be an https:// URL without "
                                        "user and fragment.");
    }
    if (!section.has("ca_file")) section.fault(section.at(), "[[provider]] has no ca_file.");
    assign(provider.ca_file, section.path("ca_file"));
    provider.reply_signer = read_signers(section);
    provider.auth_key = read_key_uri(section, "auth_key");
    provider.sign_key = read_key_uri(section, "sign_key");
    if (provider.sign_key.empty()) provider.sign_key = provider.auth_key;
    assign(provider.answer_timeout, section.integer("answer_timeout", 1, 3600));
    assign(provider.patience, section.integer("patience", 0, 86400));
    assign(provider.token_timeout, section.integer("token_timeout", 1, 600));
    provider.look_ups = read_look_ups(section);
    if (const toml::table *tls = section.table("tls")) provider.tls = read_tls(faults, *tls);
    section.finish();
    configuration.providers.push_back(std::move(provider));
}

void read_root(FaultList &faults, const toml::table &table, Configuration &configuration) {
    Section root(faults, table, "the file");
    configuration.observe = read_choice(root, "mode", "enforce", "observe");
    if (const toml::table *milter = root.table("milter")) {
        Section section(faults, *milter, "[milter]");
        assign(configuration.milter_socket, section.socket_path("socket"));
        for (const LocatedNetwork &one : read_networks(section, "reinjection"))
            configuration.reinjection.push_back(one.network);
        section.finish();
    }
    if (const toml::table *relay = root.table("relay")) read_relay(faults, *relay, configuration);
    if (const toml::table *seal = root.table("seal")) {
        Section section(faults, *seal, "[seal]");
        assign(configuration.seal_key_file, section.path("key_file"));
        if (const auto days = section.integer("lifetime_days", 1, 100))
            configuration.seal_lifetime = std::chrono::seconds(*days * 86400);
        section.finish();
    }
    if (const toml::table *policy = root.table("policy")) {
        Section section(faults, *policy, "[policy]");
        configuration.refuse_mixed_recipients =
            read_choice(section, "mixed_recipients", "allow", "refuse");
        configuration.subject_flags = section.boolean("subject_flags").value_or(true);
        assign(configuration.blocks, section.path("blocks"));
        assign(configuration.ended_providers, section.path("ended_providers"));
        assign(configuration.shipped_ended_providers, section.path("shipped_ended_providers"));
        section.finish();
    }
    if (const toml::table *retention = root.table("retention")) {
        Section section(faults, *retention, "[retention]");
        if (const auto days = read_retention(section, "days", configuration))
            configuration.retention = *days;
        section.finish();
    }
    for (const toml::table *provider : root.tables("provider", "[[provider]]"))
        read_provider(faults, *provider, configuration);
    std::vector<SenderRule> rules;
    for (const toml::table *account : root.tables("account", "[[account]]"))
        read_account(faults, *account, configuration, rules);
    configuration.rules = SenderRules(std::move(rules));
    if (const toml::table *directory = root.table("directory"))
        read_directory(faults, *directory, configuration);
    if (const toml::table *hints = root.table("hints")) read_hints(faults, *hints, configuration);
    for (const std::string_view name : reserved_tables)
        root.reserve(name);
    root.finish();
}

TomlReader reader_into(Configuration &configuration) {
    return [&configuration](FaultList &faults, const toml::table &root) {
        read_root(faults, root, configuration);
    };
}

} // namespace

std::chrono::days retention_of(const Configuration &configuration, std::string_view account) {
    for (const AccountConfiguration &one : configuration.accounts)
        if (one.name == account) return one.retention.value_or(configuration.retention);
    return configuration.retention;
}

std::variant<Configuration, std::vector<ConfigurationFault>>
parse_configuration(std::string_view text, const std::string &file) {
    Configuration configuration;
    auto findings = parse_toml(text, file, reader_into(configuration));
    return outcome_of(std::move(findings), std::move(configuration));
}

std::variant<Configuration, std::vector<ConfigurationFault>>
read_configuration(const std::string &file) {
    Configuration configuration;
    auto findings = read_toml(file, reader_into(configuration));
    return outcome_of(std::move(findings), std::move(configuration));
}

} // namespace demail
