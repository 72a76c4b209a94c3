// Where the SQL of SQLite and of PostgreSQL differs. All else is one text for both.
#pragma once

namespace demail::journal {

struct Dialect {
    const char *begin;       ///< a transaction that will write
    const char *lock_schema; ///< first in the transaction that migrates; "" where begin does it
    const char *find_schema; ///< how many tables hold the schema's version
    bool without_rowid;      ///< the schema's word for "rows lie in the tree of their key"
    const char *now;         ///< microseconds since the Unix epoch by the database's clock
    bool shared;             ///< relays on other hosts use the same database
};

inline constexpr Dialect sqlite_dialect{
    // The deferred kind gives SQLITE_BUSY_SNAPSHOT, which the time-out does not cover, when it is
    // first read and then written.
    "begin immediate",
    "",
    "select count(*) from sqlite_master where name = 'schema_version'",
    true,
    "cast((julianday('now') - 2440587.5) * 86400000000 as integer)",
    false,
};

inline constexpr Dialect postgresql_dialect{
    "begin",
    // A number of our own. What is migrated may take its time.
    "select set_config('statement_timeout', '0', true), pg_advisory_xact_lock(7166235413)",
    "select count(*) from pg_class where oid = to_regclass('schema_version')",
    false,
    "cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)",
    true,
};

} // namespace demail::journal
