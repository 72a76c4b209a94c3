// What has to hold before a De-Mail goes out, as far as the provider tells it beforehand: account
// level and rights (GetAccount), recipients (LookupRecipient). It would say so afterwards as well,
// but perhaps by a message hours later, and a draft that it rejects is gone (TR-01201 3.1 6.2).
#pragma once

#include "journal/journal.hpp"
#include "message/options.hpp"
#include "relay/account.hpp"
#include "relay/outcome.hpp"

#include <optional>
#include <string>

namespace demail::relay {

/// Why these options cannot be used by the account, or by this De-Mail address: which, and why.
/// `account` and `provider` by their names. Pure.
[[nodiscard]] std::optional<Reply>
refusal_of_options(const OptionSet &options, const Address &sender, const soap::Account &described,
                   std::string_view account, std::string_view provider);

/// Nothing has gone out, and nothing may go out now.
struct NotNow {
    Outcome outcome;
    std::string why;
};

/// Looks up the recipients that have no outcome yet, as the provider's configuration says, and
/// gives one to those who cannot get the De-Mail. All or none: where one look-up has no answer,
/// NotNow.
[[nodiscard]] std::optional<NotNow> look_up_recipients(journal::Submission &submission,
                                                       const OptionSet &options, Account &account);

} // namespace demail::relay
