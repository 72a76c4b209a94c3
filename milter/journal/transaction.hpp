// What a statement of the journal leaves open, and its end.
#pragma once

#include "journal/dialect.hpp"
#include "journal/statements.hpp"

#include <soci/soci.h>

#include <stdexcept>

namespace demail::journal {

/// The commit did not say whether it has happened.
class CommitUnanswered : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Rolled back unless it was committed.
class Transaction {
  public:
    Transaction(soci::session &sql, Statements &kept) : sql_(sql), kept_(&kept) {
        kept.begin.execute(true);
    }
    /// While the schema that the kept statements need is being made.
    Transaction(soci::session &sql, const Dialect &dialect) : sql_(sql) { sql_ << dialect.begin; }
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
        try {
            if (kept_ != nullptr)
                kept_->commit.execute(true);
            else
                sql_ << "commit";
        } catch (const soci::soci_error &error) {
            throw CommitUnanswered(error.get_error_message());
        }
        done_ = true;
    }

  private:
    soci::session &sql_;
    Statements *kept_ = nullptr;
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

} // namespace demail::journal
