#include "admin/ended_providers_file.hpp"

#include "base/log.hpp"
#include "daemon/toml_file.hpp"
#include "message/address.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <memory>

namespace demail {

namespace {

constexpr std::size_t longest_name = 100; // the reply has one line (RFC 5321 4.5.3.1.5)

std::string read_provider_name(Section &section) {
    const auto name = section.required_text("provider");
    if (!name) return {};
    const bool plain = std::all_of(name->text.begin(), name->text.end(),
                                   [](char c) { return c >= ' ' && c <= '~'; });
    if (!plain || name->text.size() > longest_name)
        section.fault(name->at, fmt::format("provider in [[ended]] must be at most {} printable "
                                            "ASCII characters: it stands in SMTP replies.",
                                            longest_name));
    return name->text;
}

std::vector<std::string> read_domains(Section &section, std::string_view key) {
    std::vector<std::string> domains;
    for (const Located &one : section.texts(key).value_or(std::vector<Located>{})) {
        auto domain = normal_domain(one.text);
        if (!domain || domain->find('.') == std::string::npos || domain->starts_with('.') ||
            domain->find('*') != std::string::npos)
            section.fault(one.at, fmt::format("\"{}\" in {} is no domain.",
                                              log::escaped(one.text.substr(0, 255)), key));
        else if (*domain == "de-mail.de")
            section.fault(one.at, "de-mail.de is all providers' and cannot end with one.");
        else
            domains.push_back(*std::move(domain));
    }
    return domains;
}

void read_entry(FaultList &faults, const toml::table &table, EndedProviders &into) {
    Section section(faults, table, "[[ended]]");
    auto provider = std::make_shared<EndedProvider>();
    provider->name = read_provider_name(section);
    if (!section.has("domains")) section.fault(section.at(), "[[ended]] has no domains.");
    const auto domains = read_domains(section, "domains");
    const bool below = section.boolean("subdomains").value_or(false);
    if (const auto date = section.required_text("date")) {
        provider->date = date->text;
        if (!is_day_or_month(date->text))
            section.fault(date->at, "date in [[ended]] must be a day, \"2022-08-31\", or a month, "
                                    "\"2025-05\".");
    }
    if (const auto source = section.required_text("source")) provider->source = source->text;
    if (const auto what = section.text("unconfirmed")) provider->unconfirmed = what->text;
    section.finish();
    for (const std::string &domain : domains)
        into.add(domain, {provider, below});
}

TomlReader reader_into(EndedProviders &providers) {
    return [&providers](FaultList &faults, const toml::table &root) {
        Section file(faults, root, "the file");
        for (const std::string &domain : read_domains(file, "still_active"))
            providers.erase(domain);
        for (const toml::table *entry : file.tables("ended", "[[ended]]"))
            read_entry(faults, *entry, providers);
        file.finish();
    };
}

void append(std::vector<ConfigurationFault> &to, std::vector<ConfigurationFault> from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

} // namespace

void take_ended_providers(std::string_view text, const std::string &file,
                          EndedProvidersRead &into) {
    append(into.faults, parse_toml(text, file, reader_into(into.providers)).faults);
}

EndedProvidersRead read_ended_providers(const Configuration &configuration) {
    EndedProvidersRead read;
    const std::string &shipped = configuration.shipped_ended_providers;
    if (::access(shipped.c_str(), F_OK) == 0)
        append(read.faults, read_toml(shipped, reader_into(read.providers)).faults);
    else
        read.warnings.push_back({shipped, 0, 0,
                                 "the shipped list of ended providers is not there: mail to their "
                                 "domains is refused by the provider alone."});
    if (!configuration.ended_providers.empty())
        append(read.faults,
               read_toml(configuration.ended_providers, reader_into(read.providers)).faults);
    for (const auto &[domain, entry] : read.providers.all())
        if (configuration.rules.names_domain(domain))
            read.faults.push_back({configuration.ended_providers, 0, 0,
                                   domain + " is a domain of your own senders: its ordinary mail "
                                            "would be refused."});
    return read;
}

} // namespace demail
