// The life of a submission (architecture.md, "The relay"): what the journal knows of a recipient
// decides what is done.
#pragma once

#include "journal/belonging.hpp"
#include "journal/journal.hpp"
#include "relay/attempt.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace demail::relay {

/// Thread-safe. One for the relay.
class Submitter {
  public:
    Submitter(journal::Journal &journal, Clock clock)
        : journal_(journal), clock_(std::move(clock)), belonging_(journal_, clock_) {}

    /// At the start, so that no message has to wait for it; each delivery sees to it once more.
    /// See Belonging::ensure().
    void know(const journal::Evidence &evidence,
              const std::function<void(const journal::Rebuilt &)> &alive) {
        belonging_.ensure(evidence.root(), alive);
    }

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
        /// Asked before each submission: why it may not go out; nullopt: it may.
        std::function<std::optional<Reply>()> bar;
    };
    [[nodiscard]] std::vector<Reply> submit(const Delivery &delivery);

  private:
    struct Work;

    journal::Submission &submission_for(Work &work, const Recipient &recipient);
    void advance(Work &work, journal::Submission &submission);

    journal::Journal &journal_;
    Clock clock_;
    journal::Belonging belonging_;
};

} // namespace demail::relay
