#include "filter/author.hpp"

#include "message/ascii.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace demail::filter {
namespace {

constexpr std::string_view resent = "resent-";

bool is_resent(const HeaderField &field) {
    return ascii::equal(std::string_view(field.name).substr(0, resent.size()), resent);
}

Objection several(std::string_view name, std::size_t times) {
    return {
        fmt::format("The message has {} {} fields; a De-Mail can have one: leave out the others.",
                    times, name)};
}

std::optional<Objection> objection_to_from(const HeaderFields &fields, const Right &right,
                                           const Address &envelope_sender) {
    const std::size_t times = count(fields, "From");
    if (times == 0)
        return Objection{"The message has no From field; a De-Mail needs one, with your address."};
    if (times > 1) return several("From", times);
    const auto author = author_of(fields);
    if (!author)
        return Objection{"The From field holds several addresses or none that can be read; a "
                         "De-Mail has one author: write your address there, alone."};
    const auto mapped = SenderRules::map(right, envelope_sender, *author);
    if (!mapped || !(*mapped == right.sender))
        return Objection{fmt::format("The From field holds {}, which does not belong to the "
                                     "envelope sender {}; write your own address there.",
                                     author->str(), envelope_sender.str())};
    return std::nullopt;
}

/// Who writes for another says so (RFC 5322 3.6.2).
std::optional<Objection> objection_to_delegate(const HeaderFields &fields, const Right &right,
                                               const Address &envelope_sender) {
    if (!right.rule->delegate) return std::nullopt;
    const HeaderField *field = topmost(fields, "Sender");
    const auto mailboxes = field == nullptr ? std::nullopt : parse_mailboxes(field->value);
    if (mailboxes && mailboxes->size() == 1 &&
        SenderRules::map(right, envelope_sender, mailboxes->front().address) ==
            right.rule->delegate_as)
        return std::nullopt;
    return Objection{fmt::format("Who writes for {} must say so: write {} into the Sender field.",
                                 right.rule->from.str(), right.rule->delegate->lower())};
}

std::optional<Objection> objection_to(std::string_view name, const HeaderFields &fields,
                                      const Right &right, const Address &envelope_sender) {
    const std::size_t times = count(fields, name);
    if (times == 0) return std::nullopt;
    if (times > 1) return several(name, times);
    const auto mailboxes = parse_mailboxes(topmost(fields, name)->value);
    if (!mailboxes || mailboxes->empty())
        return Objection{fmt::format("The {} field holds no address that can be read; correct it "
                                     "or remove it.",
                                     name)};
    for (const Mailbox &mailbox : *mailboxes) {
        if (!SenderRules::map(right, envelope_sender, mailbox.address))
            return Objection{fmt::format("The {} field holds {}, which is no De-Mail address of "
                                         "this sender; remove it or write one that is.",
                                         name, mailbox.address.str())};
    }
    return std::nullopt;
}

std::optional<Objection> objection_to_demail_sender(const HeaderFields &fields,
                                                    const Right &right) {
    const HeaderField *field = topmost(fields, "x-de-mail-sender");
    if (field == nullptr) return std::nullopt;
    const auto address = Address::parse(field->unfolded());
    if (address && *address == right.sender) return std::nullopt;
    return Objection{fmt::format("The field x-de-mail-sender may only repeat {}, the De-Mail "
                                 "address of this sender; remove it.",
                                 right.sender.lower())};
}

} // namespace

std::optional<Address> author_of(const HeaderFields &fields) {
    if (count(fields, "From") != 1) return std::nullopt;
    auto mailboxes = parse_mailboxes(topmost(fields, "From")->value);
    if (!mailboxes || mailboxes->size() != 1) return std::nullopt;
    return std::move(mailboxes->front().address);
}

std::optional<Objection> objection_to_author(const HeaderFields &fields, const Right &right,
                                             const Address &envelope_sender) {
    if (std::any_of(fields.begin(), fields.end(), is_resent))
        return Objection{"A message with Resent- fields cannot be sent as De-Mail; send it anew or "
                         "forward it as an attachment."};
    if (auto objection = objection_to_from(fields, right, envelope_sender)) return objection;
    if (auto objection = objection_to_delegate(fields, right, envelope_sender)) return objection;
    if (auto objection = objection_to("Sender", fields, right, envelope_sender)) return objection;
    if (auto objection = objection_to("Reply-To", fields, right, envelope_sender)) return objection;
    return objection_to_demail_sender(fields, right);
}

} // namespace demail::filter
