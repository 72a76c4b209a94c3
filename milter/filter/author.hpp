// Who the header says the letter is from: From, Sender and Reply-To have to fit the rule by which
// the envelope sender may send De-Mail (contracts.md, "The seal"). Pure, thread-safe.
#pragma once

#include "filter/options_asked.hpp"
#include "message/address.hpp"
#include "message/header.hpp"
#include "message/rights.hpp"

#include <optional>

namespace demail::filter {

/// nullopt where all fits: exactly one From with exactly one mailbox that maps to right.sender, at
/// most one Sender and one Reply-To that map by the same rule, no Resent-*, and an x-de-mail-sender
/// that only repeats right.sender.
[[nodiscard]] std::optional<Objection>
objection_to_author(const HeaderFields &fields, const Right &right, const Address &envelope_sender);

} // namespace demail::filter
