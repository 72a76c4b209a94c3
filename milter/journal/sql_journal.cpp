#include "journal/journal.hpp"
#include "journal/schema.hpp"
#include "journal/statements.hpp"

#include <fmt/format.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <mutex>
#include <optional>

namespace demail::journal {

namespace {

constexpr std::string_view sqlite_scheme = "sqlite3://";

/// A transaction that takes the write lock at once: SQLite's deferred kind gives
/// SQLITE_BUSY_SNAPSHOT, which the time-out does not cover, when it is first read and then written.
class Transaction {
  public:
    /// `kept`: null while the schema that they need is being made.
    Transaction(soci::session &sql, Statements *kept) : sql_(sql), kept_(kept) {
        if (kept_ != nullptr)
            kept_->begin.execute(true);
        else
            sql_ << "begin immediate";
    }
    Transaction(const Transaction &) = delete;
    Transaction &operator=(const Transaction &) = delete;
    ~Transaction() {
        if (done_) return;
        try {
            sql_ << "rollback";
        } catch (const soci::soci_error &) { // the connection is gone, and the transaction with it
        }
    }
    void commit() {
        if (kept_ != nullptr)
            kept_->commit.execute(true);
        else
            sql_ << "commit";
        done_ = true;
    }

  private:
    soci::session &sql_;
    Statements *kept_;
    bool done_ = false;
};

/// The rows of a kept statement, one bound after the other. Whatever happens they are read to their
/// end, since a statement with rows left holds its snapshot of the database.
class Rows {
  public:
    explicit Rows(soci::statement &statement)
        : statement_(statement), got_(statement.execute(true)) {}
    Rows(const Rows &) = delete;
    Rows &operator=(const Rows &) = delete;
    ~Rows() {
        try {
            while (got_)
                next();
        } catch (const soci::soci_error &) { // the next statement will say it
        }
    }
    [[nodiscard]] bool got() const noexcept { return got_; }
    void next() { got_ = statement_.fetch(); }

  private:
    soci::statement &statement_;
    bool got_;
};

State state_in(std::string_view text) {
    if (const auto state = state_named(text)) return *state;
    throw Unavailable("the journal holds a state that this version does not know");
}

RecipientField field_in(std::string_view text) {
    if (const auto field = recipient_field(text)) return *field;
    throw Unavailable("the journal holds a recipient field that this version does not know");
}

std::string key(const Nonce &n) {
    return hex(view(n));
}

class SqlJournal final : public Journal {
  public:
    explicit SqlJournal(const std::string &path) {
        guarded([&] {
            sql_.open(*soci::factory_sqlite3(),
                      fmt::format("db=\"{}\" timeout=5 synchronous=full", path));
            harden();
            migrate();
            make_durable();
            kept_.emplace(sql_);
        });
    }

    int settle_interrupted(Time now) override {
        return guarded([&] {
            Transaction transaction(sql_, &*kept_);
            long long count = 0;
            sql_ << "select count(*) from submission where state = 'submitting'", soci::into(count);
            if (count > 0) {
                sql_ << "insert into history select private_id, :at, 'uncertain', 0, "
                        "'the relay ended before the outcome was known' from submission "
                        "where state = 'submitting' on conflict do nothing",
                    soci::use(now);
                sql_ << "update submission set state = 'uncertain', changed = :at where state = "
                        "'submitting'",
                    soci::use(now);
            }
            transaction.commit();
            return static_cast<int>(count);
        });
    }

    std::optional<std::string> content_of(const Nonce &n) override {
        return guarded([&]() -> std::optional<std::string> {
            Bound &bound = kept_->bound;
            bound.n = key(n);
            const Rows rows(kept_->content_of);
            if (!rows.got()) return std::nullopt;
            return bound.content;
        });
    }

    std::vector<Submission> of_hand_over(const Nonce &n) override {
        return guarded([&] {
            std::vector<Submission> found = read_submissions(n);
            for (Submission &submission : found)
                read_recipients(submission);
            return found;
        });
    }

    void begin(const HandOver &hand_over, const Submission &submission) override {
        guarded([&] {
            Transaction transaction(sql_, &*kept_);
            Bound &bound = kept_->bound;
            bound.n = key(hand_over.n);
            bound.content = hand_over.content;
            bound.account = hand_over.account;
            bound.sender = hand_over.sender.lower();
            bound.created = submission.created;
            kept_->add_hand_over.execute(true);
            bound.private_id = submission.private_id.str();
            bound.account = submission.account;
            bound.state = name(submission.state);
            bound.queue_id = submission.queue_id;
            kept_->add_submission.execute(true);
            write_recipients(submission);
            write_history(submission, submission.created);
            transaction.commit();
        });
    }

    void begin_again(const Submission &submission, Time now) override {
        guarded([&] {
            Transaction transaction(sql_, &*kept_);
            Bound &bound = kept_->bound;
            bound.n = key(submission.n);
            bound.private_id = submission.private_id.str();
            bound.changed = now;
            kept_->start_again.execute(true);
            if (kept_->start_again.get_affected_rows() != 1)
                throw Conflict("the submission has been settled by somebody else");
            kept_->drop_recipients.execute(true);
            write_recipients(submission);
            Submission started = submission;
            started.state = State::submitting;
            started.outcome = {};
            write_history(started, now);
            transaction.commit();
        });
    }

    void settle(const Submission &submission, Time now) override {
        guarded([&] {
            Transaction transaction(sql_, &*kept_);
            Bound &bound = kept_->bound;
            bound.private_id = submission.private_id.str();
            bound.state = name(submission.state);
            bind(submission.outcome);
            bound.message_id = submission.message_id;
            bound.changed = now;
            bound.not_before = submission.not_before;
            bound.unknown_count = submission.unknown_count;
            bound.unknown_at = submission.unknown_at;
            kept_->settle.execute(true);
            bound.n = key(submission.n);
            for (const SubmissionRecipient &one : submission.recipients) {
                if (!one.outcome) continue;
                bound.address = one.recipient.address.lower();
                bind(*one.outcome);
                kept_->settle_recipient.execute(true);
            }
            write_history(submission, now);
            transaction.commit();
        });
    }

    std::map<State, std::int64_t> counts() override {
        return guarded([&] {
            std::map<State, std::int64_t> result;
            std::string state;
            long long count = 0;
            soci::statement all =
                (sql_.prepare << "select state, count(*) from submission group by state",
                 soci::into(state), soci::into(count));
            all.execute();
            while (all.fetch())
                result[state_in(state)] = count;
            return result;
        });
    }

  private:
    /// Runs `act` alone on the connection and turns every error of the store into ours. what() of a
    /// soci_error carries bound values, get_error_message() does not.
    template <typename Act>
    auto guarded(Act act) -> decltype(act()) {
        const std::lock_guard lock(mutex_);
        try {
            return act();
        } catch (const soci::sqlite3_soci_error &error) {
            const std::string message = error.get_error_message();
            if (message.find("UNIQUE constraint") != std::string::npos)
                throw Conflict("a recipient of this hand-over is being submitted by somebody else");
            throw Unavailable("the journal cannot be used: " + message);
        } catch (const soci::soci_error &error) {
            throw Unavailable("the journal cannot be used: " + error.get_error_message());
        }
    }

    /// The connect string ignores these two in silence, so they are set here and read back.
    void harden() {
        std::string mode;
        sql_ << "pragma journal_mode = wal", soci::into(mode);
        if (mode != "wal") throw Unavailable("the journal's file system does not support WAL mode");
        sql_ << "pragma foreign_keys = on";
        int on = 0;
        sql_ << "pragma foreign_keys", soci::into(on);
        int synchronous = 0;
        sql_ << "pragma synchronous", soci::into(synchronous);
        if (on != 1 || synchronous != 2)
            throw Unavailable("SQLite did not take the settings that keep the journal safe");
    }

    void migrate() {
        Transaction transaction(sql_, nullptr);
        long long tables = 0;
        sql_ << "select count(*) from sqlite_master where name = 'schema_version'",
            soci::into(tables);
        long long version = 0;
        if (tables > 0) sql_ << "select version from schema_version", soci::into(version);
        if (version > schema_version)
            throw Unavailable(fmt::format("the journal was written by a newer version (schema {}, "
                                          "this one knows {}): install "
                                          "the newer version again",
                                          version, schema_version));
        if (version < 1)
            for (const char *statement : schema_1)
                sql_ << statement;
        transaction.commit();
    }

    /// A run that was killed within a commit may have left it in the kernel's memory alone. It is
    /// read from there; but whoever is told of it must find it on disk after a power cut too.
    void make_durable() {
        int busy = 0;
        sql_ << "pragma wal_checkpoint(passive)", soci::into(busy); // syncs the log first
    }

    std::vector<Submission> read_submissions(const Nonce &n) {
        const Bound &row = kept_->bound;
        kept_->bound.n = key(n);
        std::vector<Submission> found;
        for (Rows rows(kept_->submissions); rows.got(); rows.next()) {
            auto id = PrivateId::parse(row.private_id);
            if (!id) throw Unavailable("the journal holds a private-id that is none");
            found.push_back({*std::move(id),
                             n,
                             row.account,
                             state_in(row.state),
                             {static_cast<int>(row.code), row.enhanced, row.reply},
                             row.message_id,
                             row.queue_id,
                             row.created,
                             row.changed,
                             row.not_before,
                             static_cast<int>(row.unknown_count),
                             row.unknown_at,
                             {}});
        }
        return found;
    }

    void read_recipients(Submission &submission) {
        const Bound &row = kept_->bound;
        kept_->bound.n = key(submission.n);
        kept_->bound.private_id = submission.private_id.str();
        for (Rows rows(kept_->recipients); rows.got(); rows.next()) {
            auto parsed = Address::parse(row.address);
            if (!parsed) throw Unavailable("the journal holds an address that is none");
            SubmissionRecipient one{{*std::move(parsed), field_in(row.field)}, std::nullopt};
            if (row.code != 0)
                one.outcome = Reply{static_cast<int>(row.code), row.enhanced, row.reply};
            submission.recipients.push_back(std::move(one));
        }
    }

    void bind(const Reply &reply) {
        kept_->bound.code = reply.code;
        kept_->bound.enhanced = reply.enhanced;
        kept_->bound.reply = reply.text;
    }

    /// n and private_id are bound.
    void write_recipients(const Submission &submission) {
        for (const SubmissionRecipient &one : submission.recipients) {
            kept_->bound.address = one.recipient.address.lower();
            kept_->bound.field = demail::name(one.recipient.field);
            kept_->add_recipient.execute(true);
        }
    }

    /// private_id is bound.
    void write_history(const Submission &submission, Time at) {
        kept_->bound.changed = at;
        kept_->bound.state = name(submission.state);
        bind(submission.outcome);
        kept_->add_history.execute(true);
    }

    std::mutex mutex_;
    soci::session sql_;
    std::optional<Statements> kept_; // gone before the connection
};

} // namespace

std::string_view name(State state) noexcept {
    switch (state) {
    case State::submitting:
        return "submitting";
    case State::accepted:
        return "accepted";
    case State::refused:
        return "refused";
    case State::deferred:
        return "deferred";
    case State::uncertain:
        return "uncertain";
    }
    return "?";
}

std::optional<State> state_named(std::string_view text) noexcept {
    for (const State state :
         {State::submitting, State::accepted, State::refused, State::deferred, State::uncertain})
        if (name(state) == text) return state;
    return std::nullopt;
}

std::unique_ptr<Journal> Journal::open(const std::string &url) {
    if (!url.starts_with(sqlite_scheme))
        throw Unavailable("journal: only sqlite3:// is known, not \"" + url + "\"");
    return std::make_unique<SqlJournal>(url.substr(sqlite_scheme.size()));
}

} // namespace demail::journal
