// Who owns a domain (Postfix's own configuration) and what DNS hints at: the outside world that the
// domain rules ask.
#pragma once

#include "admin/configuration.hpp"
#include "relay/domain_rules.hpp"

#include <string>
#include <string_view>

namespace demail::relay {

/// Asks Postfix once (postconf) and its tables as needed (postmap -q); throws std::runtime_error
/// when Postfix does not answer. The domains of our own senders are `senders`'s.
[[nodiscard]] DomainQuestions questions_to_the_world(const Configuration &configuration,
                                                     std::shared_ptr<const SenderRules> senders);

/// True where DNS has an SRV record _smtp._tcp.DOMAIN with port 1465 (TR-01201 1.4). A hint, never
/// an authority. False on every failure.
[[nodiscard]] bool has_de_mail_srv(const std::string &domain);

/// The same of a DNS answer (RFC 1035 4). Pure.
[[nodiscard]] bool is_de_mail_srv(std::string_view answer);

} // namespace demail::relay
