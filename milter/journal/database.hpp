// A database that a journal may lie in, and one connection to it.
#pragma once

#include "journal/dialect.hpp"
#include "journal/statements.hpp"

#include <soci/soci.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace demail::journal {

/// Belongs to one thread at a time.
class Connection {
  public:
    virtual ~Connection() = default;

    soci::session sql;
    std::optional<Statements> kept; ///< gone before the session

    /// Once, before the first use: settings, the schema that this version knows, kept statements.
    /// Throws soci_error, Unavailable, CommitUnanswered.
    virtual void prepare() = 0;
    /// Whether a row was there already: a key, not a fault of the database.
    [[nodiscard]] virtual bool taken(const soci::soci_error &error) const = 0;
    /// Nobody is using it: whether it may be used, as far as this side knows.
    [[nodiscard]] virtual bool usable() { return true; }
    /// From another thread: who waits for the database's answer waits no longer.
    virtual void cut() noexcept {}
};

/// Thread-safe.
class Database {
  public:
    virtual ~Database() = default;
    /// Throws soci_error.
    virtual std::unique_ptr<Connection> connect() = 0;
    [[nodiscard]] virtual const Dialect &dialect() const noexcept = 0;
    /// How many connections may be open.
    [[nodiscard]] virtual std::size_t connections() const noexcept = 0;
    /// After which a connection in use is cut; zero for never.
    [[nodiscard]] virtual std::chrono::milliseconds time_limit() const noexcept = 0;
};

/// The SQLite file at an absolute path. WAL, synchronous = full: a commit is on disk.
std::unique_ptr<Database> sqlite_database(const std::string &path);
/// What libpq's URI names. Throws Unavailable where it is none, or holds a password. `relay`: its
/// last run is `run` from the first connection on.
std::unique_ptr<Database> postgresql_database(const std::string &url, const std::string &relay,
                                              const std::string &run);

} // namespace demail::journal
