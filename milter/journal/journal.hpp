// What the relay knows of every submission, for ever (contracts.md, "Identity, states, outcomes").
// Written before every act, so that a crash at any point leaves a state that says what may have
// happened.
#pragma once

#include "message/private_id.hpp"
#include "message/recipients.hpp"
#include "message/reply.hpp"
#include "message/seal.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace demail::journal {

enum class State { submitting, accepted, refused, deferred, uncertain };
[[nodiscard]] std::string_view name(State state) noexcept;
/// nullopt for a name that this version does not know.
[[nodiscard]] std::optional<State> state_named(std::string_view name) noexcept;

/// Microseconds since the Unix epoch.
using Time = std::int64_t;

/// The store is away, full, damaged or of a newer version. Mail waits in Postfix. `what()` is a
/// sentence without content.
class Unavailable : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Somebody else has taken one of these recipients of this hand-over meanwhile (another host).
class Conflict : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// What one seal stands for.
struct HandOver {
    Nonce n{};
    std::string content; ///< hex of the seal's d and b: the same n with another content is refused
    std::string account;
    Address sender;
};

/// One recipient of a submission; `outcome` where the provider gave this one a fate of its own.
struct SubmissionRecipient {
    Recipient recipient;
    std::optional<Reply> outcome;
};

struct Submission {
    PrivateId private_id;
    Nonce n{};
    std::string account;
    State state = State::submitting;
    Reply outcome;          ///< of the last attempt; of the submission when state is final
    std::string message_id; ///< the provider's, once accepted
    std::string queue_id;   ///< for people, of the first attempt
    Time created = 0;
    Time changed = 0;
    Time not_before = 0;   ///< deferred: the provider asked not to be asked before
    int unknown_count = 0; ///< how often the provider has said that it does not know the private-id
    Time unknown_at = 0;   ///< when it said so last
    std::vector<SubmissionRecipient> recipients;
};

/// One journal. Thread-safe. Every function throws Unavailable; what returned is on disk.
class Journal {
  public:
    /// "sqlite3:///path". Creates or migrates the schema; a newer one is refused. Throws
    /// Unavailable.
    static std::unique_ptr<Journal> open(const std::string &url);
    virtual ~Journal() = default;

    /// Puts what a crash has cut off (`submitting`) to `uncertain`; how many. Once, at the start.
    virtual int settle_interrupted(Time now) = 0;

    /// The content that this n was first seen with; nullopt where n is new.
    [[nodiscard]] virtual std::optional<std::string> content_of(const Nonce &n) = 0;
    /// All submissions of a hand-over with their recipients.
    [[nodiscard]] virtual std::vector<Submission> of_hand_over(const Nonce &n) = 0;

    /// Before the first attempt: remembers the hand-over (if new) and the submission, in state
    /// `submitting`. Throws Conflict when one of its recipients belongs to another submission of
    /// this n.
    virtual void begin(const HandOver &hand_over, const Submission &submission) = 0;
    /// Before a further attempt: anything but a final state → submitting (Conflict otherwise), with
    /// exactly these recipients (one that is dropped here was never sent: it is free for a
    /// submission of its own).
    virtual void begin_again(const Submission &submission, Time now) = 0;
    /// After an attempt or a look-up: state, outcome, message_id, not_before, unknown_*, and the
    /// recipients' outcomes.
    virtual void settle(const Submission &submission, Time now) = 0;

    /// How many submissions are in each state; for status.
    [[nodiscard]] virtual std::map<State, std::int64_t> counts() = 0;
};

} // namespace demail::journal
