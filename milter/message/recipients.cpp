#include "message/recipients.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace demail {

namespace {

using Named = std::unordered_set<std::string>;

// The addresses that the fields of that name hold, all of them where there are several.
Named named_in(const HeaderFields &fields, std::string_view field_name) {
    Named named;
    for (const HeaderField &field : fields) {
        if (!field.is(field_name)) continue;
        const auto mailboxes = parse_mailboxes(field.value);
        if (!mailboxes) continue;
        for (const Mailbox &mailbox : *mailboxes)
            named.insert(mailbox.address.lower());
    }
    return named;
}

} // namespace

std::string_view name(RecipientField field) noexcept {
    switch (field) {
    case RecipientField::to:
        return "to";
    case RecipientField::cc:
        return "cc";
    case RecipientField::bcc:
        break;
    }
    return "bcc";
}

std::optional<RecipientField> recipient_field(std::string_view text) noexcept {
    for (const RecipientField field : {RecipientField::to, RecipientField::cc, RecipientField::bcc})
        if (name(field) == text) return field;
    return std::nullopt;
}

std::vector<Recipient> classify(const std::vector<Address> &envelope, const HeaderFields &fields) {
    const Named to = named_in(fields, "To");
    const Named cc = named_in(fields, "Cc");
    Named seen;
    std::vector<Recipient> recipients;
    recipients.reserve(envelope.size());
    for (const Address &address : envelope) {
        const auto [key, fresh] = seen.insert(address.lower());
        if (!fresh) continue;
        const RecipientField field = to.contains(*key)   ? RecipientField::to
                                     : cc.contains(*key) ? RecipientField::cc
                                                         : RecipientField::bcc;
        recipients.push_back({address, field});
    }
    return recipients;
}

std::string submission_class(const Recipient &recipient) {
    return recipient.field == RecipientField::bcc ? "bcc:" + recipient.address.lower() : "visible";
}

std::string chosen_recipient(const std::vector<Recipient> &recipients) {
    constexpr std::size_t width = 78;
    constexpr std::string_view before = "x-de-mail-chosen-recipient: ";
    std::string value;
    std::size_t column = before.size();
    for (const RecipientField field :
         {RecipientField::to, RecipientField::cc, RecipientField::bcc}) {
        bool first = true;
        for (const Recipient &recipient : recipients) {
            if (recipient.field != field) continue;
            std::string piece = recipient.address.lower();
            if (first) piece = std::string(name(field)) + '=' + piece;
            if (!value.empty()) {
                value += first ? ';' : ',';
                ++column;
            }
            first = false;
            // One more for the comma or semicolon that may follow.
            if (!value.empty() && column + piece.size() + 1 > width) {
                value += "\r\n ";
                column = 1;
            }
            value += piece;
            column += piece.size();
        }
    }
    return value;
}

} // namespace demail
