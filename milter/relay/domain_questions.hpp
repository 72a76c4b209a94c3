// Who owns a domain (Postfix's own configuration) and what DNS hints at: the outside world that the
// domain rules ask.
#pragma once

#include "admin/configuration.hpp"
#include "relay/domain_rules.hpp"

#include <memory>

namespace demail::relay {

/// Asks Postfix once (postconf) and its tables as needed (postmap -q); throws std::runtime_error
/// when Postfix does not answer. The domains of our own senders are `senders`'s.
[[nodiscard]] DomainQuestions questions_to_the_world(const Configuration &configuration,
                                                     std::shared_ptr<const SenderRules> senders);

} // namespace demail::relay
