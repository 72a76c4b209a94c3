// What Postfix looks up of the domain list, as its tables' text. Postfix takes a domain as it is
// written, so that each stands there in all its spellings. Pure, thread-safe.
#pragma once

#include "message/domain_set.hpp"

#include <string>

namespace demail::relay {

/// What postmap(1) indexes: the list, IDNs in U-labels as well.
[[nodiscard]] std::string index_text(const DomainSet &domains);

/// A regexp_table(5) for transport_maps, beside strange-address: refuses an address that holds a
/// way to one of the domains in its local part (user%domain@host, "user@domain"@host,
/// domain!user@host), by which a host of the Internet would bring the letter there as plain mail.
/// What is below de-mail.de strange-address refuses itself.
[[nodiscard]] std::string hidden_text(const DomainSet &domains);

} // namespace demail::relay
