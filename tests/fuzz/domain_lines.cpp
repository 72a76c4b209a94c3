// The files of [hints]: the administrator's, and what demail-directory has made of it.
#include "message/domain_lines.hpp"

#include "fuzz.hpp"
#include "message/address.hpp"

namespace demail::fuzz {

void domain_lines(std::string_view text) {
    const auto parsed = parse_domain_lines(text);
    const auto *domains = std::get_if<DomainNames>(&parsed);
    if (domains == nullptr) return;
    HOLDS(domains->size() <= most_domain_lines);
    for (const std::string &domain : *domains)
        HOLDS(normal_domain(domain) == domain && domain.find('.') != std::string::npos);
    const auto again = parse_domain_lines(demail::domain_lines(*domains));
    HOLDS(std::get_if<DomainNames>(&again) != nullptr && std::get<DomainNames>(again) == *domains);
}

} // namespace demail::fuzz
