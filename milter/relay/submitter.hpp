// The life of a submission (architecture.md, "The relay"): what the journal knows of a recipient
// decides what is done.
#pragma once

#include "journal/journal.hpp"
#include "relay/attempt.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace demail::relay {

/// Thread-safe. One for the relay.
class Submitter {
  public:
    Submitter(journal::Journal &journal, Clock clock)
        : journal_(journal), clock_(std::move(clock)) {}

    /// Brings the recipients' submissions as far as they go now. One reply for each of
    /// admitted.recipients, in their order. Throws journal::Unavailable before anything was sent
    /// for the recipients without a reply.
    struct Delivery {
        const Admitted &admitted;
        const IncomingMessage &message;
        Account &account;
        const journal::Evidence &evidence;
        std::chrono::seconds lookup_pause;
        const std::string &queue_id;
    };
    [[nodiscard]] std::vector<Reply> submit(const Delivery &delivery);

  private:
    struct Work;

    journal::Submission &submission_for(Work &work, const Recipient &recipient);
    void advance(Work &work, journal::Submission &submission);

    journal::Journal &journal_;
    Clock clock_;
};

} // namespace demail::relay
