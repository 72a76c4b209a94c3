#include "journal/database.hpp"
#include "journal/journal.hpp"
#include "journal/schema.hpp"

#include <fmt/format.h>
#include <soci/sqlite3/soci-sqlite3.h>

namespace demail::journal {

namespace {

class SqliteConnection final : public Connection {
  public:
    explicit SqliteConnection(const std::string &path) {
        sql.open(*soci::factory_sqlite3(),
                 fmt::format("db=\"{}\" timeout=5 synchronous=full", path));
    }
    void prepare() override {
        std::string mode;
        sql << "pragma journal_mode = wal", soci::into(mode);
        if (mode != "wal") throw Unavailable("the journal's file system does not support WAL mode");
        // Off while a migration puts a table in the place of another one (SQLite, ALTER TABLE, 7).
        sql << "pragma foreign_keys = off";
        migrate(sql, sqlite_dialect);
        harden();
        make_durable();
        kept.emplace(sql, sqlite_dialect);
        kept->bound.identity = identity_of(sql);
    }
    bool taken(const soci::soci_error &error) const override {
        return error.get_error_message().find("UNIQUE constraint") != std::string::npos;
    }

  private:
    /// A run that was killed within a commit may have left it in the kernel's memory alone. It is
    /// read from there; but whoever is told of it must find it on disk after a power cut too.
    void make_durable() {
        int busy = 0;
        sql << "pragma wal_checkpoint(passive)", soci::into(busy); // syncs the log first
    }

    /// The connect string ignores the first in silence, so what holds is read back.
    void harden() {
        sql << "pragma foreign_keys = on";
        int on = 0;
        sql << "pragma foreign_keys", soci::into(on);
        int synchronous = 0;
        sql << "pragma synchronous", soci::into(synchronous);
        if (on != 1 || synchronous != 2)
            throw Unavailable("SQLite did not take the settings that keep the journal safe");
    }
};

class SqliteDatabase final : public Database {
  public:
    explicit SqliteDatabase(std::string path) : path_(std::move(path)) {}
    std::unique_ptr<Connection> connect() override {
        return std::make_unique<SqliteConnection>(path_);
    }
    const Dialect &dialect() const noexcept override { return sqlite_dialect; }
    /// It has one writer anyway.
    std::size_t connections() const noexcept override { return 1; }
    std::chrono::milliseconds time_limit() const noexcept override { return {}; }

  private:
    std::string path_;
};

} // namespace

std::unique_ptr<Database> sqlite_database(const std::string &path) {
    return std::make_unique<SqliteDatabase>(path);
}

} // namespace demail::journal
