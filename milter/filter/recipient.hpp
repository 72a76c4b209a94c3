// What a RCPT command's text means: De-Mail, ordinary, or a form that one stage may read as the
// one and the next as the other (contracts.md, "The seal"). Pure, thread-safe.
#pragma once

#include "filter/domain_list.hpp"
#include "message/address.hpp"
#include "message/ended_providers.hpp"
#include "message/reply.hpp"

#include <optional>
#include <string_view>

namespace demail::filter {

enum class RecipientKind {
    ordinary,         ///< not ours
    demail,           ///< to be sealed
    too_long,         ///< De-Mail, but longer than a De-Mail address can be
    ended,            ///< its De-Mail provider has ended
    ended_unrouted,   ///< the same, and Postfix's index lacks the domain: its mail would leave
    hinted,           ///< DNS alone names its domain as De-Mail
    in_change,        ///< its domain is being added or removed
    unavailable,      ///< De-Mail, but the list is not known now
    not_as_written,   ///< De-Mail, but the transport map would miss the domain as it is written
    hidden,           ///< ordinary as it reads, but a De-Mail domain hides in it ("a%b@c", "b!a")
    malformed,        ///< no address
    malformed_demail, ///< no address, and a later stage could read it as De-Mail
};

struct RecipientReading {
    RecipientKind kind = RecipientKind::ordinary;
    std::optional<Address> address;          ///< where it is an address
    const EndedProvider *provider = nullptr; ///< of ended and ended_unrouted, where it is known
};

[[nodiscard]] RecipientReading read_recipient(std::string_view text, const DomainSnapshot &domains);

/// The same with the ended providers, who win over the list. They outlive the reading.
[[nodiscard]] RecipientReading read_recipient(std::string_view text, const DomainSnapshot &domains,
                                              const EndedProviders &ended, std::string_view day);

/// True where some part of the text is a De-Mail domain, or is no ASCII and cannot be judged.
[[nodiscard]] bool could_be_demail(std::string_view text, const DomainSnapshot &domains);

/// The answer to a recipient of a kind other than ordinary and demail.
[[nodiscard]] Reply refusal(const RecipientReading &reading);

} // namespace demail::filter
