// What is done about one submission with the provider: an attempt, a look-up, and what is kept of
// both. Written before every act (architecture.md, "The relay").
#pragma once

#include "journal/evidence.hpp"
#include "journal/journal.hpp"
#include "relay/account.hpp"
#include "relay/admission.hpp"
#include "relay/incoming_message.hpp"
#include "relay/obstacle.hpp"
#include "relay/outcome.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <variant>

namespace demail::relay {

/// Microseconds since the epoch; tests turn it.
using Clock = std::function<journal::Time()>;

/// Belongs to one thread. The references must outlive it. Functions throw journal::Unavailable and
/// journal::Conflict before anything was sent; a journal that fails afterwards leaves `submitting`,
/// which is looked up.
class Attempt {
  public:
    struct Parts {
        journal::Journal &journal;
        const journal::Evidence &evidence;
        Account &account;
        const Clock &clock;
        std::chrono::seconds lookup_pause; ///< between two `unknown` that must both be heard
        const std::string &queue_id;       ///< for the log
    };
    explicit Attempt(const Parts &parts) : parts_(parts) {}

    /// Submits, the first time or again. submission.outcome holds the reply afterwards.
    void submit(journal::Submission &submission, const Admitted &admitted,
                const IncomingMessage &message);
    /// Does not submit it: the sender may not send it now. A 5xx refuses it for good, a 4xx leaves
    /// it as it was.
    void hold_back(journal::Submission &submission, const Admitted &admitted,
                   const IncomingMessage &message, const Reply &why);
    /// FindSubmission. True where the provider has said `unknown` twice, a pause apart: it may be
    /// submitted again.
    [[nodiscard]] bool look_up(journal::Submission &submission) { return look_up(submission, {}); }
    /// The same, where what has come out is told to somebody before it is written down; what `tell`
    /// throws leaves it as it was.
    using Tell = std::function<void(const journal::Submission &)>;
    [[nodiscard]] bool look_up(journal::Submission &submission, const Tell &tell);
    /// Nothing more is done about it: `abandoned`, with this reply for whoever asks again.
    void give_up(journal::Submission &submission, const Reply &reply, const std::string &detail);

  private:
    class Kept;
    struct Ready;

    std::variant<Ready, Obstacle> ready();
    [[nodiscard]] std::optional<Obstacle> obstacle(const soap::Account &said,
                                                   const std::vector<Recipient> &recipients,
                                                   const OptionSet &options, std::uint64_t bytes);
    void not_now(journal::Submission &submission, const Obstacle &why);
    void refuse(journal::Submission &submission, const Obstacle &why, bool first);
    void begin(journal::Submission &submission, const journal::HandOver &hand_over,
               journal::Time now);
    void answered(journal::Submission &submission, soap::Answer<soap::Submitted> &answer,
                  Kept &kept);
    void settle(journal::Submission &submission, const Outcome &outcome, const std::string &detail,
                journal::EvidenceRecord *record, const Tell &tell = {});
    void write_down(const journal::Submission &settled, const std::string &detail,
                    journal::Time now, journal::EvidenceRecord *record);

    const Parts parts_;
};

/// `d` and `b` of the seal as the journal keeps them.
[[nodiscard]] std::string content_of(const Seal &seal);

} // namespace demail::relay
