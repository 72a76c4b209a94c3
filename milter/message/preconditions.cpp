#include "message/preconditions.hpp"

#include "message/ascii.hpp"

namespace demail {

bool sender_needs_level_high(Option option) noexcept {
    return option == Option::personal || option == Option::authoritative ||
           option == Option::confirmation_of_retrieve;
}

bool recipient_needs_level_high(Option option) noexcept {
    return option == Option::personal || option == Option::confirmation_of_retrieve;
}

std::optional<std::string> combination_fault(const OptionSet &options, const Address &sender) {
    if (options.has(Option::confirmation_of_retrieve) && !options.has(Option::personal))
        return "The De-Mail option confirmation-of-retrieve (Abholbestaetigung) goes with the "
               "option private (Persoenlich) alone; ask for both or for neither.";
    // 3.1 3.3.2: natural persons only have pseudonyms, and they begin so (2.1).
    if (options.has(Option::authoritative) && ascii::lower(sender.local()).starts_with("pn_"))
        return "The De-Mail option authoritative (Absenderbestaetigt) cannot be used with a "
               "pseudonym address (pn_...); leave it out or send from the address with your name.";
    return std::nullopt;
}

} // namespace demail
