#include "message/domain_lines.hpp"

#include "message/address.hpp"
#include "message/ascii.hpp"

#include <optional>

namespace demail {

namespace {

constexpr std::size_t longest_line = 255;

std::optional<std::string> domain_of(std::string_view line) {
    if (line.size() > longest_line || line.find('*') != std::string_view::npos) return std::nullopt;
    auto domain = normal_domain(line);
    if (!domain || domain->starts_with('.') || domain->find('.') == std::string::npos)
        return std::nullopt;
    return domain;
}

} // namespace

std::variant<DomainNames, std::string> parse_domain_lines(std::string_view text) {
    DomainNames domains;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = text.find('\n');
        const std::string_view line = ascii::trim(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.empty() || line.front() == '#') continue;
        auto domain = domain_of(line);
        if (!domain)
            return "line " + std::to_string(number) + " is no domain; write one domain a line.";
        domains.insert(*std::move(domain));
        if (domains.size() > most_domain_lines)
            return "it has more than " + std::to_string(most_domain_lines) + " domains.";
    }
    return domains;
}

std::string domain_lines(const DomainNames &domains) {
    std::string text;
    for (const std::string &domain : domains)
        text.append(domain).append(1, '\n');
    return text;
}

} // namespace demail
