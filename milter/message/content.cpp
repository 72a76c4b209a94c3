#include "message/content.hpp"

#include "message/ascii.hpp"
#include "message/display_name.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace demail {

namespace {

constexpr std::size_t good_width = 78;   // RFC 5322 2.1.1
constexpr std::size_t widest_line = 998; // the same

// "name: value" in lines of at most `width` octets, where blanks allow it. A line break goes before
// a blank that is there, so that unfolding (RFC 5322 2.2.3) gives the value back.
std::string folded(std::string_view name, std::string_view value, std::size_t width) {
    std::string out = std::string(name) + ": ";
    std::size_t column = out.size();
    for (bool first = true; !value.empty(); first = false) {
        const std::size_t word = std::min(value.find_first_not_of(' '), value.size());
        const std::string_view piece = value.substr(0, value.find(' ', word));
        value.remove_prefix(piece.size());
        if (!first && column + piece.size() > width) {
            out += "\r\n";
            column = 0;
        }
        out += piece;
        column += piece.size();
    }
    return out;
}

std::size_t longest_line(std::string_view field) noexcept {
    std::size_t longest = 0;
    for (;;) {
        const std::size_t end = std::min(field.find("\r\n"), field.size());
        longest = std::max(longest, end);
        if (end == field.size()) return longest;
        field.remove_prefix(end + 2);
    }
}

std::string_view trimmed_name(const HeaderField &field) noexcept {
    return ascii::trim(field.name);
}

bool starts_with_resent(std::string_view name) noexcept {
    return ascii::equal(name.substr(0, 7), "resent-");
}

bool removed(const HeaderField &field) noexcept {
    constexpr std::array names{"Bcc",
                               "Received",
                               "Return-Path",
                               "DKIM-Signature",
                               "Authentication-Results",
                               "Disposition-Notification-To",
                               "Delivered-To",
                               "Envelope-To"}; // set by the recipient's provider, PVD_IO 3.1.22
    return reads_as_demail(field.name) ||
           std::ranges::any_of(names, [&field](const char *name) { return field.is(name); });
}

// An address within a sentence that becomes an SMTP reply: ASCII.
std::string shown(const Address &address) {
    std::string text = address.str();
    std::ranges::replace_if(
        text, [](char c) { return c < ' ' || c > '~'; }, '?');
    return text;
}

// True where the field says the mapped address already and nothing but it, so that its bytes may
// stay as they are: the only "@" is that of the address.
bool says_already(const HeaderField &field, const Mailbox &mailbox, const Address &mapped) {
    const std::string text = field.unfolded();
    const std::string address = mapped.lower();
    return std::ranges::count(text, '@') == 1 && !holds_at_sign(mailbox.display_name) &&
           (text == address || text.ends_with('<' + address + '>'));
}

std::string rewritten(const HeaderField &field, const Mailbox &mailbox, const Address &mapped) {
    const std::string_view name = trimmed_name(field);
    const std::string address = mapped.lower();
    const std::string display =
        holds_at_sign(mailbox.display_name) ? std::string() : phrase(mailbox.display_name);
    if (!display.empty()) {
        std::string text = folded(name, display + " <" + address + '>', good_width);
        // A name of a thousand characters without a blank cannot be folded, and is none.
        if (longest_line(text) <= widest_line) return text;
    }
    return folded(name, address, good_width);
}

/// The fields of the message that name who sent it.
class Originators {
  public:
    Originators(const Address &sender, const Right &right, const Address &envelope_sender)
        : sender_(sender), right_(right), envelope_sender_(envelope_sender) {}

    /// The fault of the header as a whole, if there is one.
    static std::optional<NotMappable> fault(const HeaderFields &fields) {
        for (const HeaderField &field : fields) {
            if (!starts_with_resent(field.name)) continue;
            std::string name(trimmed_name(field).substr(0, 40));
            std::ranges::replace_if(
                name, [](char c) { return c < ' ' || c > '~'; }, '?');
            return NotMappable{"A De-Mail cannot be resent: send it anew, without the field " +
                               name + "."};
        }
        if (count(fields, "From") != 1)
            return NotMappable{"A De-Mail needs exactly one From field."};
        for (const std::string_view name : {"Sender", "Reply-To"})
            if (count(fields, name) > 1)
                return NotMappable{"A De-Mail has at most one " + std::string(name) + " field."};
        return std::nullopt;
    }

    /// The field with the De-Mail address.
    [[nodiscard]] std::variant<std::string, NotMappable> mapped(const HeaderField &field,
                                                                std::string_view name) const {
        const auto mailboxes = parse_mailboxes(field.value);
        // TR-01201 3.1 5.1, metadata no. 10: Reply-To is one De-Mail address as well.
        if (!mailboxes || mailboxes->size() != 1)
            return NotMappable{"The " + std::string(name) +
                               " field of a De-Mail must hold exactly one address."};
        const Mailbox &mailbox = mailboxes->front();
        const auto address = SenderRules::map(right_, envelope_sender_, mailbox.address);
        if (!address || (name == "From" && !(*address == sender_)))
            return NotMappable{"The address " + shown(mailbox.address) + " in the " +
                               std::string(name) + " field may not be used for De-Mail sent by " +
                               shown(sender_) + "; use the address of this sender."};
        if (says_already(field, mailbox, *address)) return field.name + ':' + field.value;
        return rewritten(field, mailbox, *address);
    }

  private:
    const Address &sender_;
    const Right &right_;
    const Address &envelope_sender_;
};

// Numbers as in TR-01201 3.4 3.1.1, table 1. Subject (8) and Reply-To (10) are the sender's.
std::string metadata_fields(const HeaderFields &original, const SubmissionMetadata &metadata) {
    std::string out;
    for (const Option option : all_options) { // 1-5
        out.append("x-de-mail-").append(name(option));
        out.append(metadata.options.has(option) ? ": yes\r\n" : ": no\r\n");
    }
    out.append("x-de-mail-sender: ").append(metadata.sender.lower()).append("\r\n"); // 6
    out.append("x-de-mail-chosen-recipient: ")                                       // 7
        .append(chosen_recipient(metadata.recipients))
        .append("\r\n");
    // 8 is mandatory, in RFC 5322 it is not.
    if (topmost(original, "Subject") == nullptr) out.append("Subject: \r\n");
    // 9; whole where it can be, since its value comes back in confirmations.
    out.append(folded("x-de-mail-private-id", metadata.private_id.str(), widest_line));
    return out.append("\r\n");
}

constexpr std::array<std::string_view, 3> originator_fields{"From", "Sender", "Reply-To"};

} // namespace

bool originators_map(const HeaderFields &original, const Right &right,
                     const Address &envelope_sender) {
    if (Originators::fault(original)) return false;
    const Originators originators(right.sender, right, envelope_sender);
    return std::all_of(
        originator_fields.begin(), originator_fields.end(), [&](std::string_view name) {
            const HeaderField *field = topmost(original, name);
            return field == nullptr ||
                   std::holds_alternative<std::string>(originators.mapped(*field, name));
        });
}

std::variant<std::string, NotMappable> submission_header(const HeaderFields &original,
                                                         const SubmissionMetadata &metadata,
                                                         const Right &right,
                                                         const Address &envelope_sender) {
    if (auto fault = Originators::fault(original)) return *fault;
    const Originators originators(metadata.sender, right, envelope_sender);
    std::string out = metadata_fields(original, metadata);
    for (const HeaderField &field : original) {
        if (removed(field)) continue;
        std::string_view originator;
        for (const std::string_view name : originator_fields)
            if (field.is(name)) originator = name;
        if (originator.empty()) {
            out.append(field.name).append(":").append(field.value);
        } else {
            auto mapped = originators.mapped(field, originator);
            if (auto *fault = std::get_if<NotMappable>(&mapped)) return *fault;
            out.append(std::get<std::string>(mapped));
        }
        out.append("\r\n");
    }
    return out.append("\r\n");
}

} // namespace demail
