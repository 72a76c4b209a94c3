#include "admin/directory_section.hpp"

#include "admin/account_section.hpp"
#include "admin/search_filter.hpp"
#include "base/log.hpp"
#include "message/ascii.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace demail {

namespace {

constexpr std::string_view schemes[] = {"ldaps://", "ldap://", "ldapi://"};

/// "" where there is none; several URLs are of one kind, so that none of them goes without TLS.
std::string_view scheme_of(std::string_view urls) {
    std::string_view scheme;
    while (!urls.empty()) {
        const std::string_view url = urls.substr(0, urls.find(' '));
        urls.remove_prefix(std::min(urls.size(), url.size() + 1));
        const auto *const own =
            std::find_if(std::begin(schemes), std::end(schemes),
                         [&](std::string_view one) { return url.starts_with(one); });
        if (own == std::end(schemes) || (!scheme.empty() && scheme != *own)) return {};
        scheme = *own;
        const bool plain = std::all_of(
            url.begin() + static_cast<std::ptrdiff_t>(scheme.size()), url.end(), [&](char c) {
                return ascii::letter_or_digit(c) || c == '.' || c == '-' || c == '_' || c == ':' ||
                       c == '[' || c == ']' || (c == '%' && scheme == "ldapi://");
            });
        if (!plain || url.size() == scheme.size()) return {};
    }
    return scheme;
}

/// RFC 4512 1.4, descr.
std::string read_attribute(Section &section, std::string_view key, std::string_view otherwise) {
    const auto value = section.text(key);
    if (!value) return std::string(otherwise);
    const bool good = value->text.size() <= 64 && ascii::letter_or_digit(value->text.front()) &&
                      std::all_of(value->text.begin(), value->text.end(),
                                  [](char c) { return ascii::letter_or_digit(c) || c == '-'; });
    if (!good)
        section.fault(value->at,
                      fmt::format("{} in [directory] must be the name of an attribute.", key));
    return value->text;
}

void read_server(Section &section, DirectoryConfiguration &directory) {
    std::string_view scheme;
    if (const auto url = section.required_text("url")) {
        directory.url = url->text;
        scheme = scheme_of(directory.url);
        if (scheme.empty())
            section.fault(url->at, "url in [directory] must be ldaps://host, ldap://host (TLS is "
                                   "started there too) or ldapi://; several of one kind stand with "
                                   "a blank between them.");
    }
    if (const auto file = section.path("ca_file"))
        directory.ca_file = file->text;
    else if (scheme != "ldapi://")
        section.fault(section.at(), "[directory] has no ca_file.");
    if (const auto name = section.text("bind_dn")) directory.bind_dn = name->text;
    if (const auto file = section.path("password_file")) directory.password_file = file->text;
    if (directory.bind_dn.empty() != directory.password_file.empty())
        section.fault(section.at(), "bind_dn and password_file in [directory] belong together.");
    if (const auto seconds = section.integer("timeout", 1, 60))
        directory.timeout = std::chrono::seconds(*seconds);
}

void read_search(Section &section, DirectoryConfiguration &directory) {
    if (const auto base = section.required_text("base")) directory.base = base->text;
    if (const auto filter = section.required_text("filter")) {
        auto text = search_filter(filter->text, directory.account);
        if (const auto *sentence = std::get_if<std::string_view>(&text))
            section.fault(filter->at, fmt::format("filter in [directory] {}", *sentence));
        else
            directory.filter = std::move(std::get<std::string>(text));
    }
    directory.from = read_attribute(section, "from", "mail");
    directory.login = read_attribute(section, "login", "uid");
    if (!section.has("as"))
        section.fault(section.at(), "[directory] does not say as: the attribute with the De-Mail "
                                    "address.");
    directory.as = read_attribute(section, "as", "");
    directory.defaults_attribute = read_attribute(section, "defaults_attribute", "");
    directory.allow_attribute = read_attribute(section, "allow_attribute", "");
    directory.defaults = read_options(section, "defaults");
    directory.allow = read_options(section, "allow");
}

} // namespace

void read_directory(FaultList &faults, const toml::table &table, Configuration &configuration) {
    Section section(faults, table, "[directory]");
    DirectoryConfiguration directory;
    if (const auto name = section.required_text("account")) {
        directory.account = name->text;
        const auto account =
            std::find_if(configuration.accounts.begin(), configuration.accounts.end(),
                         [&](const AccountConfiguration &one) { return one.name == name->text; });
        if (account == configuration.accounts.end())
            section.fault(name->at, fmt::format("there is no [[account]] with the name \"{}\".",
                                                log::escaped(name->text.substr(0, 64))));
        else if (account->senders_file.empty() || !account->senders_max_age)
            section.fault(name->at,
                          "the account in [directory] must have a senders_file, which is written, "
                          "and a senders_max_age, behind which it is not believed any more.");
        else if (*account->senders_max_age < std::chrono::seconds(60))
            section.fault(name->at, "senders_max_age of the account in [directory] must be 60 s or "
                                    "more: the directory is asked each 30 s.");
    }
    read_server(section, directory);
    read_search(section, directory);
    section.finish();
    configuration.directory = std::move(directory);
}

} // namespace demail
