// What keeps a De-Mail from being submitted, known before a byte of it goes out: the account's
// rights and limits (GetAccount) and the provider's directory (LookupRecipient).
#pragma once

#include "message/options.hpp"
#include "message/recipients.hpp"
#include "relay/account.hpp"
#include "relay/outcome.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace demail::relay {

struct Obstacle {
    Outcome outcome; ///< deferred or refused
    std::string why; ///< for log and history
    /// The replies for the recipients, in their order, where each has one of its own.
    std::vector<Reply> each{};
};

/// Why a request cannot be made now, by an answer that is none: always deferred. `operation` is the
/// request's name.
template <typename Reply>
[[nodiscard]] Obstacle no_answer(const soap::Answer<Reply> &answer, const std::string &operation,
                                 const std::string &provider) {
    if (const auto *fault = std::get_if<soap::Fault>(&answer)) {
        Outcome outcome = outcome_of(*fault, provider);
        if (outcome.state != journal::State::deferred)
            outcome = outcome_of(soap::NotSent{{}, false}, provider);
        return {outcome, operation + ": " + fault->code};
    }
    if (const auto *token = std::get_if<soap::TokenFault>(&answer))
        return {outcome_of(*token, provider), token->why};
    if (const auto *not_sent = std::get_if<soap::NotSent>(&answer))
        return {outcome_of(*not_sent, provider), not_sent->why};
    const auto &none = std::get<soap::NoAnswer>(answer);
    // Of the De-Mail itself nothing has gone out.
    return {outcome_of(soap::NotSent{{}, none.login_refused}, provider),
            operation + ": " + none.why};
}

/// An option that the account may not use, or a De-Mail of more bytes than it may send. Pure.
[[nodiscard]] std::optional<Obstacle> obstacle_of_account(const soap::Account &said,
                                                          const OptionSet &options,
                                                          std::uint64_t bytes,
                                                          const Account &account);

/// Asks the directory as the account's configuration says. Refused where none of the recipients can
/// have the De-Mail; where some can, it goes out, and the provider says which could not. A
/// directory that gives no answer is no obstacle.
[[nodiscard]] std::optional<Obstacle>
obstacle_of_directory(Account &account, const std::vector<Recipient> &recipients,
                      const OptionSet &options);

} // namespace demail::relay
