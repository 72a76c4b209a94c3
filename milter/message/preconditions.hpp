// What TR-01201 asks of whoever sets a sending option (3.1 3.3). Pure, thread-safe.
#pragma once

#include "message/address.hpp"
#include "message/options.hpp"

#include <optional>
#include <string>

namespace demail {

/// Both sender and recipient, or the sender alone, have to be at level high for it (3.1 3.3.1,
/// 3.3.2, 3.3.5; steps 19 and 42).
[[nodiscard]] bool sender_needs_level_high(Option option) noexcept;
[[nodiscard]] bool recipient_needs_level_high(Option option) noexcept;

/// Why these options cannot be asked for together, or not by this De-Mail address: a sentence that
/// says which option and why.
[[nodiscard]] std::optional<std::string> combination_fault(const OptionSet &options,
                                                           const Address &sender);

} // namespace demail
