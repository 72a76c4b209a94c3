// Who the header says the letter is from: From, Sender and Reply-To have to fit the rule by which
// the envelope sender may send De-Mail (contracts.md, "The seal"). Pure, thread-safe.
#pragma once

#include "filter/options_asked.hpp"
#include "message/address.hpp"
#include "message/header.hpp"
#include "message/rights.hpp"

#include <optional>

namespace demail::filter {

/// The one address of the one From field.
[[nodiscard]] std::optional<Address> author_of(const HeaderFields &fields);

/// nullopt where all fits: exactly one From with exactly one mailbox that maps to right.sender, at
/// most one Sender and one Reply-To that map by the same rule, no Resent-*, and an x-de-mail-sender
/// that only repeats right.sender. Where the rule has a delegate, the Sender field is hers.
[[nodiscard]] std::optional<Objection>
objection_to_author(const HeaderFields &fields, const Right &right, const Address &envelope_sender);

} // namespace demail::filter
