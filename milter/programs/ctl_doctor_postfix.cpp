#include "programs/ctl_doctor_postfix.hpp"

#include "message/ascii.hpp"

#include <algorithm>

namespace demail::ctl {

namespace {

bool lists(const PostfixView &view, std::string_view parameter, std::string_view domain) {
    const auto elements = list_elements(view.facts.value(parameter));
    return std::any_of(elements.begin(), elements.end(),
                       [&](const std::string &one) { return ascii::lower(one) == domain; });
}

bool is_table(const std::string &element) {
    return element.find_first_of(":/") != std::string::npos;
}

/// Whether the tables of a list have the domain as a key; nullopt: not told.
std::optional<bool> tables_list(const PostfixView &view, std::string_view parameter,
                                const std::string &domain) {
    std::optional<bool> listed = false;
    for (const std::string &element : list_elements(view.facts.value(parameter))) {
        if (!is_table(element)) continue;
        const auto table = view.tables.find(element);
        if (table == view.tables.end() || !table->second.text) {
            listed = std::nullopt;
            continue;
        }
        for (const TableEntry &one : entries_of(*table->second.text, false))
            if (ascii::lower(one.key) == domain) return true;
    }
    return listed;
}

constexpr const char *own_domains[] = {"mydestination", "virtual_mailbox_domains",
                                       "virtual_alias_domains"};

} // namespace

std::optional<std::string> Service::override_of(std::string_view parameter) const {
    const auto found =
        view_.facts.overrides.find(line_.name + "/" + line_.type + "/" + std::string(parameter));
    if (found == view_.facts.overrides.end()) return std::nullopt;
    return found->second;
}

std::string Service::value(std::string_view parameter) const {
    return override_of(parameter).value_or(view_.facts.value(parameter));
}

std::string Service::where(std::string_view parameter) const {
    return override_of(parameter)
               ? view_.directory + "/master.cf: " + name() + ": -o " + std::string(parameter)
               : view_.directory + "/main.cf: " + std::string(parameter);
}

bool Service::on_loopback() const {
    const std::string &name = line_.name;
    return line_.type == "unix" || name.starts_with("127.") || name.starts_with("localhost:") ||
           name.starts_with("[::1]:") || name.starts_with("::1:");
}

std::vector<Service> services_of(const PostfixView &view) {
    std::vector<Service> services;
    for (const std::string &line : view.facts.services)
        services.emplace_back(view, MasterLine(line));
    return services;
}

std::vector<Setting> settings_of(const PostfixView &view, std::string_view parameter) {
    std::vector<Setting> settings;
    if (view.facts.expanded.contains(parameter))
        settings.push_back({view.directory + "/main.cf: " + std::string(parameter), "",
                            view.facts.value(parameter)});
    for (const Service &one : services_of(view))
        if (const auto value = one.override_of(parameter))
            settings.push_back({one.where(parameter), one.name(), *value});
    return settings;
}

Home home_of(const PostfixView &view, std::string_view address) {
    const auto at = address.rfind('@');
    const std::string domain = ascii::lower(
        at == std::string_view::npos ? view.facts.value("myorigin") : address.substr(at + 1));
    if (view.domains.find(domain)) return Home::demail;
    for (const char *parameter : own_domains)
        if (lists(view, parameter, domain)) return Home::here;
    Home home = Home::elsewhere;
    for (const char *parameter : own_domains) {
        const auto listed = tables_list(view, parameter, domain);
        if (listed.value_or(false)) return Home::here;
        if (!listed) home = Home::unknown;
    }
    return home;
}

std::vector<std::string> tables_of_own_domains(const PostfixView &view) {
    std::vector<std::string> tables;
    for (const char *parameter : own_domains)
        for (const std::string &one : list_elements(view.facts.value(parameter)))
            if (is_table(one)) tables.push_back(one);
    return tables;
}

Checks check_postfix(const PostfixView &view) {
    Checks checks;
    check_lines(view, checks);
    check_services(view, checks);
    check_settings(view, checks);
    check_routes(view, checks);
    check_actions(view, checks);
    return checks;
}

} // namespace demail::ctl
