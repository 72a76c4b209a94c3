// What the relay knows of every submission, for ever (contracts.md, "Identity, states, outcomes").
// Written before every act, so that a crash at any point leaves a state that says what may have
// happened. In one SQLite file for one host, or in PostgreSQL for several.
#pragma once

#include "message/private_id.hpp"
#include "message/recipients.hpp"
#include "message/reply.hpp"
#include "message/seal.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace demail::journal {

/// `abandoned`: Postfix has given the message up; final only when it was looked up.
enum class State { submitting, accepted, refused, deferred, uncertain, abandoned };
[[nodiscard]] std::string_view name(State state) noexcept;
/// nullopt for a name that this version does not know.
[[nodiscard]] std::optional<State> state_named(std::string_view name) noexcept;

/// Microseconds since the Unix epoch.
using Time = std::int64_t;

/// `not_before` of an abandoned submission that nothing more is done about.
inline constexpr Time never_again = std::numeric_limits<Time>::max();

/// How long a claim outlives a host that died with it. Longer than any one attempt.
inline constexpr std::chrono::minutes lease{90};

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
    std::string envelope_sender; ///< for reports to the sender, as the milter saw it; "" for none
    std::string mail_id;         ///< the Message-ID of the sender's message; "" for none
    Time seal_time = 0;          ///< when it was sealed
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
    std::string relay;      ///< read only: which relay worked on it last
    Time last_delivery = 0; ///< read only: when Postfix last brought it for an attempt
};

/// A submission as its evidence tells it.
struct Kept {
    HandOver hand_over;
    Submission submission; ///< `uncertain` where an attempt has no outcome
    Time begun = 0;        ///< its last attempt
};

class History;

/// One journal. Thread-safe. Every function throws Unavailable; what returned is on disk.
class Journal {
  public:
    /// "sqlite3:///path", or "postgresql://…" as libpq reads it, without a password. `relay`: this
    /// relay's name, the same after a restart, another one on every host.
    ///
    /// Creates or migrates the schema; a newer one is refused. Throws Unavailable. A PostgreSQL
    /// that does not answer is no fault yet: the journal connects when it is next used.
    static std::unique_ptr<Journal> open(const std::string &url, const std::string &relay);
    virtual ~Journal() = default;

    /// Puts what a crash has cut off (`submitting`) to `uncertain`, at most so many at once; how
    /// many. Only what an earlier run of this relay began, and what another one left behind longer
    /// than its lease. At the start, and at any time.
    virtual std::size_t settle_interrupted(Time now, std::size_t most) = 0;

    /// Takes a hand-over for one delivery: false where another one is at it, here or on another
    /// host. See Claim.
    [[nodiscard]] virtual bool claim(const Nonce &n) = 0;
    /// What cannot be given back runs out with its lease; this relay may claim it again at once.
    virtual void release(const Nonce &n) noexcept = 0;

    /// The content that this n was first seen with; nullopt where n is new.
    [[nodiscard]] virtual std::optional<std::string> content_of(const Nonce &n) = 0;
    /// All submissions of a hand-over with their recipients.
    [[nodiscard]] virtual std::vector<Submission> of_hand_over(const Nonce &n) = 0;

    /// Before the first attempt: remembers the hand-over (if new) and the submission, in state
    /// `submitting`. Throws Conflict when one of its recipients belongs to another submission of
    /// this n, or when another relay has claimed it; the lease begins anew. After Unavailable it
    /// may be on disk all the same: to be read again before anything is sent.
    virtual void begin(const HandOver &hand_over, const Submission &submission) = 0;
    /// Before a further attempt: anything but a final state → submitting (Conflict otherwise), with
    /// exactly these recipients (one that is dropped here was never sent: it is free for a
    /// submission of its own). Else as begin().
    virtual void begin_again(const Submission &submission, Time now) = 0;
    /// After an attempt or a look-up: state, outcome, message_id, not_before, unknown_*, and the
    /// recipients' outcomes. After Unavailable it may stand at `submitting`, to be looked up.
    virtual void settle(const Submission &submission, Time now) = 0;

    /// Hand-overs sealed before `sealed_before` with submissions that are neither final nor waiting
    /// for a later time, the oldest first: Postfix has given them up.
    [[nodiscard]] virtual std::vector<Nonce> given_up(Time sealed_before, Time now,
                                                      std::size_t limit) = 0;

    /// Which journal this is: random hex digits that it got when it was made.
    [[nodiscard]] virtual std::string identity() = 0;
    /// From now on begin() throws Unavailable in any other journal: one that came in the place of
    /// this one knows nothing of what was sent.
    virtual void hold_to(const std::string &identity) = 0;
    /// Brings in what evidence tells and the journal does not know, or not yet (an old copy). What
    /// is final stays, so does a recipient that belongs to another submission, unless that one was
    /// deferred before this one began. How many were brought in.
    virtual std::size_t restore(const std::vector<Kept> &kept, Time now) = 0;

    /// How many submissions are in each state, for status; of the final ones those begun since
    /// then, since years leave too many to be counted.
    [[nodiscard]] virtual std::map<State, std::int64_t> counts(Time since) = 0;

    /// What it tells people; lives as long as the journal.
    [[nodiscard]] virtual History &history() = 0;
};

/// Keeps two deliveries of one hand-over apart while it lives: Postfix may come again while the
/// first is still at work, or to another host.
class Claim {
  public:
    Claim(Journal &journal, const Nonce &n) : journal_(journal), n_(n), held_(journal.claim(n)) {}
    Claim(const Claim &) = delete;
    Claim &operator=(const Claim &) = delete;
    ~Claim() {
        if (held_) journal_.release(n_);
    }
    [[nodiscard]] bool held() const noexcept { return held_; }

  private:
    Journal &journal_;
    Nonce n_;
    bool held_;
};

} // namespace demail::journal
