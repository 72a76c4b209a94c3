// De-Mails that Postfix has given up while their outcome was not known. They are looked up all the
// same, until the provider says what became of them, and their senders are told the truth by mail.
#pragma once

#include "journal/journal.hpp"
#include "relay/attempt.hpp"
#include "relay/service.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace demail::relay {

/// Looks through the journal. Belongs to one thread; tests turn its clock.
class GivenUp {
  public:
    /// Hands a message to the sender's mailbox; throws std::runtime_error where that fails.
    using Mail = std::function<void(const Settings &, const std::string &recipient,
                                    const std::string &message)>;
    GivenUp(journal::Journal &journal, Clock clock, Mail mail);

    /// One round over what is due. Throws journal::Unavailable.
    void look(const Settings &settings);

  private:
    void look_at(const Settings &settings, const Nonce &n);
    void look_at(const Settings &settings, const journal::HandOver &hand_over,
                 journal::Submission &submission);
    void tell(const Settings &settings, const journal::HandOver &hand_over,
              const journal::Submission &submission);

    journal::Journal &journal_;
    const Clock clock_;
    const Mail mail_;
    const std::string host_;
    std::map<std::string, journal::Time> not_before_; ///< by private-id; a restart forgets them
};

/// Thread-safe; owns its thread, which does that over and over.
class GivenUpWatch {
  public:
    GivenUpWatch(Service &service, journal::Journal &journal, Clock clock);
    ~GivenUpWatch(); ///< ends the thread; waits for a request under way

  private:
    void run();

    Service &service_;
    GivenUp given_up_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool ending_ = false;
    std::thread thread_;
};

} // namespace demail::relay
