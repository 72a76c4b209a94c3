#include "relay/preconditions.hpp"

#include "message/preconditions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace demail::relay {

namespace {

/// Of one submission. More would keep Postfix waiting longer than it does: a card signs each
/// request. Of so many the answer to the De-Mail says what is wrong.
constexpr std::size_t most_look_ups = 100;

Reply refused(std::string sentence) {
    return {550, "5.7.1", std::move(sentence)};
}

std::optional<Option> option_for_level_high(const OptionSet &options) {
    const auto found = std::find_if(all_options.begin(), all_options.end(), [&](Option option) {
        return options.has(option) && recipient_needs_level_high(option);
    });
    return found == all_options.end() ? std::nullopt : std::optional(*found);
}

} // namespace

std::optional<Reply> refusal_of_options(const OptionSet &options, const Address &sender,
                                        const soap::Account &described, std::string_view account,
                                        std::string_view provider) {
    if (auto fault = combination_fault(options, sender)) return refused(*std::move(fault));
    for (const Option option : all_options) {
        if (!options.has(option)) continue;
        if (sender_needs_level_high(option) && !described.high_level)
            return refused(
                fmt::format("The De-Mail option {} needs a sender at level high, and the "
                            "De-Mail account {} is not; send it without the option or "
                            "ask the administrator",
                            demail::described(option), account));
        if (!described.rights.has(option))
            return refused(fmt::format("The De-Mail provider {} does not permit the option {} to "
                                       "the De-Mail account {}; send it without the option or ask "
                                       "the administrator",
                                       provider, demail::described(option), account));
    }
    return std::nullopt;
}

std::optional<NotNow> look_up_recipients(journal::Submission &submission, const OptionSet &options,
                                         Account &account) {
    const auto needs_high = option_for_level_high(options);
    if (account.look_ups() == LookUps::never ||
        (account.look_ups() == LookUps::options && !needs_high) ||
        submission.recipients.size() > most_look_ups)
        return std::nullopt;
    const std::string &provider = account.provider();
    std::vector<std::optional<Reply>> outcomes;
    for (const auto &[recipient, outcome] : submission.recipients) {
        outcomes.push_back(outcome);
        if (outcome) continue;
        const auto answer = account.recipient(recipient.address, needs_high.has_value());
        if (const auto *known = std::get_if<soap::KnownRecipient>(&answer)) {
            if (!known->exists)
                outcomes.back() = reply_for_rejected("unknown-recipient", "", provider);
            else if (needs_high && !known->high_level.value_or(true))
                outcomes.back() = reply_for_level(recipient.address, *needs_high);
        } else if (const auto *fault = std::get_if<soap::Fault>(&answer)) {
            const Outcome of_fault = outcome_of(*fault, provider);
            if (of_fault.state == journal::State::deferred)
                return NotNow{of_fault, "LookupRecipient: " + fault->code};
            if (fault->code == "unknown-recipient") outcomes.back() = of_fault.reply;
            // What else it does not like about the question says nothing about the De-Mail.
        } else if (const auto *token = std::get_if<soap::TokenFault>(&answer)) {
            return NotNow{outcome_of(*token, provider), token->why};
        } else if (const auto *not_sent = std::get_if<soap::NotSent>(&answer)) {
            return NotNow{outcome_of(*not_sent, provider), not_sent->why};
        } else {
            // Of the De-Mail nothing has gone out: it is not uncertain.
            return NotNow{outcome_of(soap::NotSent{{}, false}, provider),
                          "LookupRecipient: " + std::get<soap::NoAnswer>(answer).why};
        }
    }
    for (std::size_t i = 0; i < outcomes.size(); ++i)
        submission.recipients[i].outcome = std::move(outcomes[i]);
    return std::nullopt;
}

} // namespace demail::relay
