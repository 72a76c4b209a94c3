// What a message says of itself: that a program sent it (RFC 3834 5), that a list distributes it
// (RFC 2919, RFC 2369), that it is one of many (Precedence). Such mail becomes a De-Mail by a rule
// with automatic = true alone: a De-Mail binds its sender. Pure, thread-safe.
#pragma once

#include "filter/options_asked.hpp"
#include "message/header.hpp"
#include "message/rights.hpp"

#include <optional>
#include <string_view>

namespace demail::filter {

/// True for a field that can say so; blanks before the colon and case do not count.
[[nodiscard]] bool can_tell_automatic(std::string_view field_name) noexcept;

/// Why the message may not be sent by this rule; nullopt where no field says that it is automatic,
/// or the rule allows it. The objection names the field, not what stands in it.
[[nodiscard]] std::optional<Objection> objection_to_automatic(const HeaderFields &fields,
                                                              const SenderRule &rule);

} // namespace demail::filter
