// What the journal tells a person: what has become of a hand-over, and which submissions there
// were. Reading only; every question is answered by an index and has a limit.
#pragma once

#include "journal/journal.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace demail::journal {

/// One line of a submission's history.
struct Change {
    Time at = 0;
    State state = State::submitting;
    int code = 0; ///< of the reply; 0 for none
    std::string reply;
};

/// A submission with its history, oldest first.
struct Told {
    Submission submission;
    std::size_t recipients = 0;  ///< in all; `submission` holds the first of them
    std::vector<Change> changes; ///< the latest of them
};

/// A hand-over with what became of it.
struct Story {
    HandOver hand_over;
    Time first_brought = 0;
    std::vector<Told> submissions; ///< the first of them
    std::size_t all = 0;           ///< submissions in all
};

/// How much of one hand-over is told: the relay's answer has a limit.
inline constexpr std::size_t most_told = 100, most_recipients_told = 500, most_changes_told = 500;

/// By what a hand-over is found.
enum class Clue {
    queue_id,   ///< Postfix's, of the first attempt
    mail_id,    ///< the Message-ID of the sender's message, with its brackets
    message_id, ///< the provider's
    private_id, ///< whole
    beginning,  ///< of a private-id: "g1-" and hex digits
};

/// A submission that a clue leads to.
struct Found {
    Nonce n{};
    std::string private_id; ///< "" where the clue is of the whole hand-over
};

/// Where a list goes on: behind this submission.
struct Place {
    Time created = 0;
    std::string private_id;
};

struct ListQuery {
    std::optional<State> state;
    Time since = 0; ///< of the first attempt
    std::optional<Place> behind;
    std::size_t limit = 50;
};

/// A submission in a list: with the first of its recipients.
struct Listed {
    Submission submission;
    std::string sender;
    std::size_t recipients = 0;
};
inline constexpr std::size_t most_recipients_listed = 3;

/// Thread-safe. Every function throws Unavailable.
class History {
  public:
    virtual ~History() = default;
    /// The latest first, at most `limit`; of a beginning in the private-ids' order.
    [[nodiscard]] virtual std::vector<Found> find(Clue clue, const std::string &text,
                                                  std::size_t limit) = 0;
    /// nullopt where the journal does not know it. `only`: a private-id, to tell of this one alone.
    [[nodiscard]] virtual std::optional<Story> story(const Nonce &n, const std::string &only) = 0;
    /// The latest first.
    [[nodiscard]] virtual std::vector<Listed> list(const ListQuery &query) = 0;
};

} // namespace demail::journal
