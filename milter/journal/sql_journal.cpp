#include "base/digest.hpp"
#include "journal/database.hpp"
#include "journal/history_queries.hpp"
#include "journal/history_reading.hpp"
#include "journal/journal.hpp"
#include "journal/pool.hpp"
#include "journal/records.hpp"
#include "journal/restoring.hpp"
#include "journal/transaction.hpp"
#include "journal/words.hpp"

#include <fmt/format.h>

#include <mutex>
#include <set>

namespace demail::journal {

namespace {

constexpr std::string_view sqlite_scheme = "sqlite3://";
constexpr std::string_view postgresql_scheme = "postgresql://";

/// The database could not be reached, or has failed.
class Away : public Unavailable {
    using Unavailable::Unavailable;
};

/// A commit that was not answered, so that what it wrote is to be read.
class Unanswered : public Unavailable {
    using Unavailable::Unavailable;
};

std::string sentence(std::string_view error) {
    std::string text = "the journal cannot be used: ";
    for (const char c : error)
        if (static_cast<unsigned char>(c) > ' ')
            text += c;
        else if (!text.ends_with(' '))
            text += ' ';
    while (text.ends_with(' '))
        text.pop_back();
    return text;
}

Time clock_now() {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

class SqlJournal final : public Journal, private History {
  public:
    SqlJournal(std::unique_ptr<Database> database, std::string relay, std::string run)
        : relay_(std::move(relay)), run_(std::move(run)), pool_(std::move(database)) {}

    /// The first connection, with all that it checks.
    void connect() {
        on_connection([](Statements &, soci::session &) {});
    }

    int settle_interrupted(Time now) override {
        return on_connection([&](Statements &kept, soci::session &sql) {
            const std::string interrupted = fmt::format(
                "state = 'submitting' and ((relay = :me and changed < :opened) or (relay <> "
                ":others and not exists (select 1 from claim where claim.n = submission.n and "
                "claim.until > {})))",
                pool_.dialect().now);
            Transaction transaction(sql, kept);
            long long count = 0;
            sql << "select count(*) from submission where " + interrupted, soci::use(relay_),
                soci::use(opened_), soci::use(relay_), soci::into(count);
            if (count > 0) {
                sql << "insert into history (private_id, at, state, code, reply) select "
                       "private_id, :at, 'uncertain', 0, 'the relay ended before the outcome was "
                       "known' from submission where " +
                           interrupted + " on conflict do nothing",
                    soci::use(now), soci::use(relay_), soci::use(opened_), soci::use(relay_);
                sql << "update submission set state = 'uncertain', changed = :at where " +
                           interrupted,
                    soci::use(now), soci::use(relay_), soci::use(opened_), soci::use(relay_);
            }
            sql << fmt::format("delete from claim where until < {}", pool_.dialect().now);
            transaction.commit();
            return static_cast<int>(count);
        });
    }

    bool claim(const Nonce &n) override {
        {
            const std::lock_guard lock(mutex_);
            if (!in_work_.insert(n).second) return false;
        }
        try {
            if (!pool_.dialect().shared || on_connection([&](Statements &kept, soci::session &sql) {
                    return take_claim(kept, sql, n);
                }))
                return true;
        } catch (...) {
            forget(n);
            throw;
        }
        forget(n);
        return false;
    }

    void release(const Nonce &n) noexcept override {
        try {
            if (pool_.dialect().shared)
                on_connection([&](Statements &kept, soci::session &) {
                    kept.bound.n = key(n);
                    kept.release.execute(true);
                });
        } catch (const std::exception &) { // the lease ends it
        }
        forget(n);
    }

    std::optional<std::string> content_of(const Nonce &n) override {
        return on_connection([&](Statements &kept, soci::session &) -> std::optional<std::string> {
            kept.bound.n = key(n);
            const Rows rows(kept.content_of);
            if (!rows.got()) return std::nullopt;
            return kept.bound.content;
        });
    }

    std::vector<Submission> of_hand_over(const Nonce &n) override {
        return on_connection([&](Statements &kept, soci::session &) {
            std::vector<Submission> found = read_submissions(kept, n);
            for (Submission &submission : found)
                read_recipients(kept, submission);
            return found;
        });
    }

    void begin(const HandOver &hand_over, const Submission &submission) override {
        write(submission, submission.state, submission.created,
              [&](Statements &kept, soci::session &sql) {
                  require_held(kept);
                  Transaction transaction(sql, kept);
                  hold_claim(kept, sql, hand_over.n);
                  Bound &bound = kept.bound;
                  bound.n = key(hand_over.n);
                  bound.content = hand_over.content;
                  bound.account = hand_over.account;
                  bound.sender = hand_over.sender.lower();
                  bound.envelope_sender = storable(hand_over.envelope_sender);
                  bound.mail_id = storable(hand_over.mail_id);
                  bound.seal_time = hand_over.seal_time;
                  bound.created = submission.created;
                  kept.add_hand_over.execute(true);
                  bound.private_id = submission.private_id.str();
                  bound.account = submission.account;
                  bound.state = name(submission.state);
                  bound.queue_id = storable(submission.queue_id);
                  kept.add_submission.execute(true);
                  write_recipients(kept, submission);
                  write_history(kept, submission.state, submission.outcome, submission.created);
                  transaction.commit();
              });
    }

    void begin_again(const Submission &submission, Time now) override {
        write(submission, State::submitting, now, [&](Statements &kept, soci::session &sql) {
            Transaction transaction(sql, kept);
            hold_claim(kept, sql, submission.n);
            Bound &bound = kept.bound;
            bound.n = key(submission.n);
            bound.private_id = submission.private_id.str();
            bound.changed = now;
            kept.start_again.execute(true);
            if (kept.start_again.get_affected_rows() != 1)
                throw Conflict("the submission has been settled by somebody else");
            kept.drop_recipients.execute(true);
            write_recipients(kept, submission);
            write_history(kept, State::submitting, {}, now);
            transaction.commit();
        });
    }

    void settle(const Submission &submission, Time now) override {
        write(submission, submission.state, now, [&](Statements &kept, soci::session &sql) {
            Transaction transaction(sql, kept);
            Bound &bound = kept.bound;
            bound.private_id = submission.private_id.str();
            bound.state = name(submission.state);
            bound.is_final = is_final(submission.state) ? 1 : 0;
            bind(bound, submission.outcome);
            bound.message_id = storable(submission.message_id);
            bound.changed = now;
            bound.not_before = submission.not_before;
            bound.unknown_count = submission.unknown_count;
            bound.unknown_at = submission.unknown_at;
            kept.settle.execute(true);
            bound.n = key(submission.n);
            for (const SubmissionRecipient &one : submission.recipients) {
                if (!one.outcome) continue;
                bound.address = one.recipient.address.lower();
                bind(bound, *one.outcome);
                kept.settle_recipient.execute(true);
            }
            write_history(kept, submission.state, submission.outcome, now);
            transaction.commit();
        });
    }

    std::vector<Nonce> given_up(Time sealed_before, Time now, std::size_t limit) override {
        return on_connection([&](Statements &, soci::session &sql) {
            std::vector<Nonce> found;
            std::string n;
            const auto most = static_cast<long long>(limit);
            soci::statement all = (sql.prepare << queries::given_up, soci::use(sealed_before),
                                   soci::use(now), soci::use(most), soci::into(n));
            all.execute();
            while (all.fetch())
                found.push_back(nonce_of(n));
            return found;
        });
    }

    std::map<State, std::int64_t> counts(Time since) override {
        return on_connection([&](Statements &, soci::session &sql) {
            std::map<State, std::int64_t> result;
            std::string state;
            long long count = 0;
            const auto add = [&](soci::statement all) {
                all.execute();
                while (all.fetch())
                    result[state_in(state)] = count;
            };
            add((sql.prepare << queries::open_ones, soci::into(state), soci::into(count)));
            add((sql.prepare << queries::final_ones, soci::use(since), soci::into(state),
                 soci::into(count)));
            return result;
        });
    }

    std::string identity() override {
        return on_connection([](Statements &kept, soci::session &) { return kept.bound.identity; });
    }

    void hold_to(const std::string &identity) override {
        const std::lock_guard lock(mutex_);
        held_to_ = identity;
    }

    std::size_t restore(const std::vector<Kept> &told, Time now) override {
        return on_connection([&](Statements &kept, soci::session &sql) {
            Transaction transaction(sql, kept);
            std::size_t count = 0;
            for (const Kept &one : told)
                if (restore_one(sql, relay_, one, now)) ++count;
            transaction.commit();
            return count;
        });
    }

    History &history() override { return *this; }

  private:
    std::vector<Found> find(Clue clue, const std::string &text, std::size_t limit) override {
        return on_connection(
            [&](Statements &, soci::session &sql) { return read_found(sql, clue, text, limit); });
    }

    std::optional<Story> story(const Nonce &n, const std::string &only) override {
        return on_connection(
            [&](Statements &, soci::session &sql) { return read_story(sql, n, only); });
    }

    std::vector<Listed> list(const ListQuery &query) override {
        return on_connection(
            [&](Statements &, soci::session &sql) { return read_list(sql, query); });
    }

    /// Runs `act` alone on a connection and turns every error of the database into ours.
    template <typename Act>
    auto on_connection(Act act)
        -> decltype(act(std::declval<Statements &>(), std::declval<soci::session &>())) {
        try {
            Pool::Lent lent(pool_);
            lent->kept->bound.me = relay_;
            try {
                return act(*lent->kept, lent->sql);
            } catch (const soci::soci_error &error) {
                discard(lent);
                if (lent->taken(error))
                    throw Conflict(
                        "a recipient of this hand-over is being submitted by somebody else");
                throw;
            } catch (const CommitUnanswered &) {
                discard(lent);
                throw;
            }
        } catch (const soci::soci_error &error) {
            throw Away(sentence(error.get_error_message()));
        } catch (const CommitUnanswered &error) {
            throw Unanswered(sentence(error.what()));
        }
    }

    /// A statement that has failed is not used again: SOCI's of PostgreSQL would leak what it was
    /// given. A file stays open: it is the same one, and SOCI leaks each handle whose opening
    /// fails.
    void discard(Pool::Lent &lent) const noexcept {
        if (pool_.dialect().shared) lent.discard();
    }

    /// The same for what leaves the submission in `state` since `at`: whether a commit that was not
    /// answered has happened is asked.
    template <typename Act>
    void write(const Submission &submission, State state, Time at, Act act) {
        try {
            on_connection(act);
        } catch (const Unanswered &) {
            // A file whose sync has failed reads as if it had not.
            if (!pool_.dialect().shared) throw;
            const bool written = on_connection([&](Statements &kept, soci::session &) {
                kept.bound.private_id = submission.private_id.str();
                kept.bound.state = name(state);
                kept.bound.changed = at;
                kept.bound.count = 0;
                const Rows rows(kept.written);
                return kept.bound.count == 1;
            });
            if (!written) throw;
        }
    }

    bool take_claim(Statements &kept, soci::session &sql, const Nonce &n) {
        kept.bound.n = key(n);
        kept.bound.run = run_;
        kept.bound.lease = std::chrono::microseconds(lease).count();
        kept.claim.execute(true);
        if (kept.claim.get_affected_rows() == 1) return true;
        std::string run;
        sql << "select run from relay where name = :name", soci::use(relay_), soci::into(run);
        if (run != run_)
            throw Unavailable("another relay with the name \"" + relay_ +
                              "\" uses the journal since; give each host a [relay] name of its "
                              "own and restart this one");
        return false;
    }

    /// In the transaction that begins an attempt: the lease counts from here.
    void hold_claim(Statements &kept, soci::session &sql, const Nonce &n) {
        if (pool_.dialect().shared && !take_claim(kept, sql, n))
            throw Conflict("another relay has taken this hand-over");
    }

    void require_held(const Statements &kept) {
        const std::lock_guard lock(mutex_);
        if (!held_to_.empty() && held_to_ != kept.bound.identity)
            throw Unavailable("another journal has come in the place of the one that knows what "
                              "was sent");
    }

    void forget(const Nonce &n) noexcept {
        const std::lock_guard lock(mutex_);
        in_work_.erase(n);
    }

    const std::string relay_, run_;
    const Time opened_ = clock_now();
    Pool pool_;
    std::mutex mutex_;
    std::set<Nonce> in_work_; ///< claimed by this process
    std::string held_to_;     ///< "" for any journal
};

} // namespace

std::unique_ptr<Journal> Journal::open(const std::string &url, const std::string &relay) {
    const std::string run = hex(view(new_nonce()));
    if (url.starts_with(sqlite_scheme)) {
        auto journal = std::make_unique<SqlJournal>(
            sqlite_database(url.substr(sqlite_scheme.size())), relay, run);
        journal->connect();
        return journal;
    }
    if (!url.starts_with(postgresql_scheme))
        throw Unavailable("journal: only sqlite3:// and postgresql:// are known");
    auto journal = std::make_unique<SqlJournal>(postgresql_database(url, relay, run), relay, run);
    try {
        journal->connect();
    } catch (const Away &) { // it may come later than this relay
    }
    return journal;
}

} // namespace demail::journal
