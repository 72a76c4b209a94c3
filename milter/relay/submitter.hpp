// The life of a submission (architecture.md, "The relay"): what the journal knows of a recipient
// decides what is done.
#pragma once

#include "journal/journal.hpp"
#include "relay/account.hpp"
#include "relay/admission.hpp"
#include "relay/incoming_message.hpp"
#include "relay/outcome.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace demail::relay {

/// Thread-safe. One for the relay.
class Submitter {
  public:
    /// Microseconds since the epoch; tests turn it.
    using Clock = std::function<journal::Time()>;
    Submitter(journal::Journal &journal, Clock clock)
        : journal_(journal), clock_(std::move(clock)) {}

    /// Brings the recipients' submissions as far as they go now. One reply for each of
    /// admitted.recipients, in their order. Throws journal::Unavailable before anything was sent
    /// for the recipients without a reply.
    [[nodiscard]] std::vector<Reply> submit(const Admitted &admitted,
                                            const IncomingMessage &message, Account &account,
                                            std::chrono::seconds lookup_pause,
                                            const std::string &queue_id);

  private:
    struct Work;

    [[nodiscard]] static journal::HandOver hand_over(const Work &work);
    journal::Submission &submission_for(Work &work, const Recipient &recipient);
    void advance(Work &work, journal::Submission &submission);
    void attempt(Work &work, journal::Submission &submission);
    void look_up(Work &work, journal::Submission &submission);
    void settle(Work &work, journal::Submission &submission, const Outcome &outcome,
                const std::string &detail);

    journal::Journal &journal_;
    Clock clock_;
};

} // namespace demail::relay
