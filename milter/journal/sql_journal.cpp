#include "journal/journal.hpp"
#include "journal/schema.hpp"

#include <fmt/format.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <mutex>

namespace demail::journal {

namespace {

constexpr std::string_view sqlite_scheme = "sqlite3://";

/// A transaction that takes the write lock at once: SQLite's deferred kind gives
/// SQLITE_BUSY_SNAPSHOT, which the time-out does not cover, when it is first read and then written.
class Transaction {
  public:
    explicit Transaction(soci::session &sql) : sql_(sql) { sql_ << "begin immediate"; }
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
        sql_ << "commit";
        done_ = true;
    }

  private:
    soci::session &sql_;
    bool done_ = false;
};

State state_named(std::string_view text) {
    for (const State state :
         {State::submitting, State::accepted, State::refused, State::deferred, State::uncertain})
        if (name(state) == text) return state;
    throw Unavailable("the journal holds a state that this version does not know");
}

RecipientField field_named(std::string_view text) {
    for (const RecipientField field : {RecipientField::to, RecipientField::cc, RecipientField::bcc})
        if (demail::name(field) == text) return field;
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
        });
    }

    int settle_interrupted(Time now) override {
        return guarded([&] {
            Transaction transaction(sql_);
            long long count = 0;
            sql_ << "select count(*) from submission where state = 'submitting'", soci::into(count);
            if (count > 0) {
                sql_ << "insert into history select private_id, :at, 'uncertain', 0, "
                        "'the relay ended before the outcome was known' from submission "
                        "where state = 'submitting'",
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
            std::string content;
            const std::string hex_n = key(n);
            sql_ << "select content from hand_over where n = :n", soci::use(hex_n),
                soci::into(content);
            if (!sql_.got_data()) return std::nullopt;
            return content;
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
            Transaction transaction(sql_);
            const std::string n = key(hand_over.n);
            const std::string sender = hand_over.sender.lower();
            sql_ << "insert into hand_over (n, content, account, sender, created) values "
                    "(:n, :content, :account, :sender, :created) on conflict (n) do nothing",
                soci::use(n), soci::use(hand_over.content), soci::use(hand_over.account),
                soci::use(sender), soci::use(submission.created);
            const std::string state(name(submission.state));
            sql_ << "insert into submission values (:private_id, :n, :account, :state, 0, '', '', "
                    "'', :queue_id, :created, :changed, 0, 0, 0)",
                soci::use(submission.private_id.str()), soci::use(n), soci::use(submission.account),
                soci::use(state), soci::use(submission.queue_id), soci::use(submission.created),
                soci::use(submission.created);
            write_recipients(submission);
            write_history(submission, submission.created);
            transaction.commit();
        });
    }

    void begin_again(const Submission &submission, Time now) override {
        guarded([&] {
            Transaction transaction(sql_);
            soci::statement update =
                (sql_.prepare << "update submission set state = 'submitting', changed = :now where "
                                 "private_id = :private_id and state not in ('accepted', "
                                 "'refused')",
                 soci::use(now), soci::use(submission.private_id.str()));
            update.execute(true);
            if (update.get_affected_rows() != 1)
                throw Conflict("the submission has been settled by somebody else");
            sql_ << "delete from recipient where private_id = :private_id",
                soci::use(submission.private_id.str());
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
            Transaction transaction(sql_);
            const std::string state(name(submission.state));
            const long long code = submission.outcome.code;
            const long long unknown_count = submission.unknown_count;
            // Never backwards: what is final stays.
            sql_ << "update submission set state = :state, code = :code, enhanced = :enhanced, "
                    "reply = :reply, message_id = :message_id, changed = :now, not_before = "
                    ":not_before, unknown_count = :unknown_count, unknown_at = :unknown_at where "
                    "private_id = :private_id and state not in ('accepted', 'refused')",
                soci::use(state), soci::use(code), soci::use(submission.outcome.enhanced),
                soci::use(submission.outcome.text), soci::use(submission.message_id),
                soci::use(now), soci::use(submission.not_before), soci::use(unknown_count),
                soci::use(submission.unknown_at), soci::use(submission.private_id.str());
            const std::string n = key(submission.n);
            for (const SubmissionRecipient &one : submission.recipients) {
                if (!one.outcome) continue;
                const std::string address = one.recipient.address.lower();
                const long long own_code = one.outcome->code;
                sql_ << "update recipient set code = :code, enhanced = :enhanced, reply = :reply "
                        "where n = :n and address = :address",
                    soci::use(own_code), soci::use(one.outcome->enhanced),
                    soci::use(one.outcome->text), soci::use(n), soci::use(address);
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
                result[state_named(state)] = count;
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
        Transaction transaction(sql_);
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

    std::vector<Submission> read_submissions(const Nonce &n) {
        const std::string hex_n = key(n);
        std::string private_id, state;
        Submission row;
        long long code = 0, unknown_count = 0, created = 0, changed = 0, not_before = 0,
                  unknown_at = 0;
        soci::statement all =
            (sql_.prepare << "select private_id, account, state, code, enhanced, reply, "
                             "message_id, queue_id, created, changed, not_before, unknown_count, "
                             "unknown_at from submission where n = :n order by created, private_id",
             soci::use(hex_n), soci::into(private_id), soci::into(row.account), soci::into(state),
             soci::into(code), soci::into(row.outcome.enhanced), soci::into(row.outcome.text),
             soci::into(row.message_id), soci::into(row.queue_id), soci::into(created),
             soci::into(changed), soci::into(not_before), soci::into(unknown_count),
             soci::into(unknown_at));
        std::vector<Submission> found;
        all.execute();
        while (all.fetch()) {
            auto id = PrivateId::parse(private_id);
            if (!id) throw Unavailable("the journal holds a private-id that is none");
            row.private_id = *std::move(id);
            row.n = n;
            row.state = state_named(state);
            row.outcome.code = static_cast<int>(code);
            row.created = created;
            row.changed = changed;
            row.not_before = not_before;
            row.unknown_count = static_cast<int>(unknown_count);
            row.unknown_at = unknown_at;
            found.push_back(row);
        }
        return found;
    }

    void read_recipients(Submission &submission) {
        std::string address, field, enhanced, reply;
        long long code = 0;
        soci::statement all =
            (sql_.prepare << "select address, field, code, enhanced, reply from recipient where "
                             "private_id = :private_id order by address",
             soci::use(submission.private_id.str()), soci::into(address), soci::into(field),
             soci::into(code), soci::into(enhanced), soci::into(reply));
        all.execute();
        while (all.fetch()) {
            auto parsed = Address::parse(address);
            if (!parsed) throw Unavailable("the journal holds an address that is none");
            SubmissionRecipient one{{*std::move(parsed), field_named(field)}, std::nullopt};
            if (code != 0) one.outcome = Reply{static_cast<int>(code), enhanced, reply};
            submission.recipients.push_back(std::move(one));
        }
    }

    void write_recipients(const Submission &submission) {
        std::string address, field;
        const std::string n = key(submission.n);
        soci::statement insert =
            (sql_.prepare << "insert into recipient values (:n, :address, :private_id, :field, 0, "
                             "'', '')",
             soci::use(n), soci::use(address), soci::use(submission.private_id.str()),
             soci::use(field));
        for (const SubmissionRecipient &one : submission.recipients) {
            address = one.recipient.address.lower();
            field = demail::name(one.recipient.field);
            insert.execute(true);
        }
    }

    void write_history(const Submission &submission, Time at) {
        const std::string state(name(submission.state));
        const long long code = submission.outcome.code;
        sql_ << "insert into history values (:private_id, :at, :state, :code, :reply)",
            soci::use(submission.private_id.str()), soci::use(at), soci::use(state),
            soci::use(code), soci::use(submission.outcome.text);
    }

    std::mutex mutex_;
    soci::session sql_;
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

std::unique_ptr<Journal> Journal::open(const std::string &url) {
    if (!url.starts_with(sqlite_scheme))
        throw Unavailable("journal: only sqlite3:// is known, not \"" + url + "\"");
    return std::make_unique<SqlJournal>(url.substr(sqlite_scheme.size()));
}

} // namespace demail::journal
