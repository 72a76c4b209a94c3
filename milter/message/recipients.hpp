// Which recipient stands in To, in Cc, or in neither (Bcc): each Bcc recipient is a submission of
// its own (TR-01201 3.4 3.1.8). Pure, thread-safe.
#pragma once

#include "message/address.hpp"
#include "message/header.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace demail {

enum class RecipientField { to, cc, bcc };
[[nodiscard]] std::string_view name(RecipientField field) noexcept;
/// nullopt for what is no field's name.
[[nodiscard]] std::optional<RecipientField> recipient_field(std::string_view name) noexcept;

struct Recipient {
    Address address;
    RecipientField field = RecipientField::to;
    friend bool operator==(const Recipient &, const Recipient &) = default;
};

/// Sorts the envelope's recipients by where the header names them; To wins over Cc. A field that
/// cannot be parsed names nobody, so that its recipients are Bcc: nothing is shown that should not
/// be.
[[nodiscard]] std::vector<Recipient> classify(const std::vector<Address> &envelope,
                                              const HeaderFields &fields);

/// "visible", or "bcc:" + address for a Bcc recipient: the class of the recipient's submission.
[[nodiscard]] std::string submission_class(const Recipient &recipient);

/// The value of x-de-mail-chosen-recipient: to=a,b;cc=c  (folded at commas with CRLF + blank, lines
/// under 998).
[[nodiscard]] std::string chosen_recipient(const std::vector<Recipient> &recipients);

} // namespace demail
