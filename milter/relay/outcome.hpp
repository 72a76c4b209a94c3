// The outcome table of contracts.md as data: what came of an attempt → state of the submission and
// reply to Postfix. Pure.
#pragma once

#include "journal/journal.hpp"
#include "message/reply.hpp"
#include "soap/provider.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace demail::relay {

struct Outcome {
    journal::State state = journal::State::uncertain;
    Reply reply;
    std::chrono::seconds retry_after{0}; ///< deferred: do not ask the provider before
    bool suspend = false;                ///< no further request until a person acts
    bool look_up = false;                ///< private-id-in-use: the provider has it already
};

/// A signed fault. `provider` is its name in the configuration; its own words are quoted in the
/// reply.
[[nodiscard]] Outcome outcome_of(const soap::Fault &fault, std::string_view provider);
[[nodiscard]] Outcome outcome_of(const soap::NotSent &failure, std::string_view provider);
[[nodiscard]] Outcome outcome_of(const soap::NoAnswer &failure, std::string_view provider);
[[nodiscard]] Outcome outcome_of(const soap::TokenFault &failure, std::string_view provider);

/// The reply for one recipient that the provider left out of an accepted submission.
[[nodiscard]] Reply reply_for_rejected(std::string_view code, std::string_view reason,
                                       std::string_view provider);
[[nodiscard]] Outcome outcome_for_accepted(std::string_view message_id, std::string_view provider);
[[nodiscard]] Outcome outcome_for_refused(Reply reply);
/// Refused before anything goes out, as the provider would by its faults option-not-permitted and
/// too-large. `why` continues "since the account NAME".
[[nodiscard]] Outcome outcome_for_option(Option option, std::string_view account,
                                         std::string_view why, std::string_view provider);
[[nodiscard]] Outcome outcome_for_size(std::uint64_t bytes, std::uint64_t most,
                                       std::string_view provider);
/// What Postfix hears while the outcome is not known.
[[nodiscard]] Reply reply_for_uncertain(std::string_view provider);
/// 451 4.3.1: journal, evidence or spool full or away.
[[nodiscard]] Reply reply_for_store();
[[nodiscard]] Outcome outcome_for_store();

/// One row of the table, for the golden files of the tests.
struct OutcomeRow {
    std::string_view code;
    journal::State state;
    int reply_code;
    std::string_view enhanced, sentence;
};
[[nodiscard]] const std::vector<OutcomeRow> &fault_table();

} // namespace demail::relay
