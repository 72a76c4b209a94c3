#include "broker/configuration.hpp"

#include "daemon/toml_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace demail::broker {
namespace {

void assign(std::string &to, std::optional<Located> from) {
    if (from) to = std::move(from->text);
}

bool is_iccsn(std::string_view text) {
    return (text.size() == 16 || text.size() == 20) &&
           text.find_first_not_of("0123456789ABCDEF") == std::string_view::npos;
}

BackEnd read_back_end(Section &section) {
    const auto value = section.text("backend");
    if (value && value->text != "tcos" && value->text != "module")
        section.fault(value->at, "backend in [[token]] must be \"tcos\" or \"module\".");
    return value && value->text == "module" ? BackEnd::module : BackEnd::tcos;
}

void read_module(Section &section, TokenRule &rule) {
    const auto module = section.path("module");
    const auto limit = section.integer("call_limit", 1, 600);
    if (limit) rule.call_limit = std::chrono::seconds(*limit);
    if (rule.back_end == BackEnd::tcos) {
        for (const char *key : {"module", "call_limit"})
            if (section.has(key))
                section.fault(section.at(),
                              fmt::format("{} in [[token]] needs backend = \"module\".", key));
        return;
    }
    if (!section.has("module"))
        section.fault(section.at(), "[[token]] with backend = \"module\" has no module.");
    assign(rule.module, module);
}

void read_serial(Section &section, TokenRule &rule) {
    const auto serial = section.text("serial");
    if (!serial) return;
    if (rule.back_end == BackEnd::tcos && !is_iccsn(serial->text))
        section.fault(serial->at, "serial in [[token]] must be the card's ICCSN, 20 digits, or the "
                                  "last 16 of them.");
    else if (serial->text.size() > 64)
        section.fault(serial->at, "serial in [[token]] is longer than 64 characters.");
    else
        rule.serial = serial->text;
}

void read_pin_file(Section &section, TokenRule &rule) {
    const auto file = section.path("pin_file");
    if (!file) return;
    // A PIN that is sent without a person must not reach a card that happens to be in a reader.
    if (!section.has("serial"))
        section.fault(file->at, "pin_file in [[token]] needs serial: without a person the PIN goes "
                                "to one known card alone.");
    if (!section.has("reader") || rule.reader.find('*') != std::string::npos)
        section.fault(file->at, "pin_file in [[token]] needs the exact name of the reader, without "
                                "*.");
    rule.pin_file = file->text;
}

void read_token(FaultList &faults, const toml::table &table, Configuration &configuration) {
    Section section(faults, table, "[[token]]");
    TokenRule rule;
    rule.back_end = read_back_end(section);
    if (auto reader = section.text("reader")) {
        if (reader->text.size() > 128)
            section.fault(reader->at, "reader in [[token]] is longer than 128 characters.");
        rule.reader = std::move(reader->text);
    }
    read_serial(section, rule);
    read_module(section, rule);
    read_pin_file(section, rule);
    if (const auto tries = section.integer("reserve_tries", 1, 15))
        rule.reserve_tries = static_cast<int>(*tries);
    if (const auto idle = section.integer("idle", 0, 7 * 86400))
        rule.idle = std::chrono::seconds(*idle);
    section.finish();
    const auto &others = configuration.tokens;
    if (std::any_of(others.begin(), others.end(), [&](const TokenRule &other) {
            return other.reader == rule.reader && other.serial == rule.serial &&
                   other.module == rule.module;
        }))
        section.fault(section.at(), "there are two [[token]] with the same reader, serial and "
                                    "module.");
    configuration.tokens.push_back(std::move(rule));
}

void read_allow(FaultList &faults, const toml::table &table, Configuration &configuration) {
    Section section(faults, table, "[[allow]]");
    AllowRule rule;
    assign(rule.key, section.required_text("key"));
    assign(rule.user, section.text("user"));
    assign(rule.group, section.text("group"));
    if (section.has("user") == section.has("group"))
        section.fault(section.at(), "[[allow]] must name a user or a group, one of them.");
    if (const auto rate = section.integer("per_minute", 0, 1000000))
        rule.per_minute = static_cast<unsigned>(*rate);
    section.finish();
    configuration.allowed.push_back(std::move(rule));
}

void read_root(FaultList &faults, const toml::table &table, Configuration &configuration) {
    Section root(faults, table, "the file");
    if (const toml::table *daemon = root.table("daemon")) {
        Section section(faults, *daemon, "[daemon]");
        assign(configuration.socket, section.socket_path("socket"));
        assign(configuration.state, section.path("state"));
        if (const auto wait = section.integer("longest_wait", 1, 3600))
            configuration.longest_wait = std::chrono::seconds(*wait);
        section.finish();
    }
    for (const toml::table *token : root.tables("token", "[[token]]"))
        read_token(faults, *token, configuration);
    for (const toml::table *allow : root.tables("allow", "[[allow]]"))
        read_allow(faults, *allow, configuration);
    root.finish();
    if (configuration.tokens.empty()) configuration.tokens.emplace_back();
    if (configuration.allowed.empty())
        for (const char *key : {"demail-auth", "demail-sign"}) {
            configuration.allowed.emplace_back();
            configuration.allowed.back().key = key;
            configuration.allowed.back().user = "demail-relay";
        }
}

TomlReader reader_into(Configuration &configuration) {
    return [&configuration](FaultList &faults, const toml::table &root) {
        read_root(faults, root, configuration);
    };
}

} // namespace

bool fits(std::string_view pattern, std::string_view text) noexcept {
    // The last * is tried again one character further on; earlier ones need not be: linear space,
    // at worst the product of both lengths.
    std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            mark = t;
        } else if (p < pattern.size() && pattern[p] == text[t]) {
            ++p, ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool TokenRule::fits_reader(std::string_view name) const {
    return reader.empty() || fits(reader, name);
}

bool TokenRule::fits_serial(std::string_view name) const {
    if (serial.empty() || serial == name) return true;
    return back_end == BackEnd::tcos && serial.size() == 16 && name.size() > 16 &&
           name.ends_with(serial);
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

} // namespace demail::broker
