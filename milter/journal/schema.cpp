#include "journal/schema.hpp"

#include "base/digest.hpp"
#include "journal/journal.hpp"
#include "journal/transaction.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace demail::journal {

namespace {

using Steps = std::vector<std::string>;

/// Times are microseconds in a bigint, digests and nonces hex: what SQLite and PostgreSQL agree on.
/// A commit writes each page that it has touched, so rows lie in the tree of their key (`without
/// rowid`), and what a key's first column finds has no index of its own.
constexpr std::string_view without_rowid = " without rowid";

std::string submission_table(std::string_view name) {
    return fmt::format(
        "create table {} (private_id text primary key, n text not null references hand_over(n), "
        "account text not null, state text not null check (state = 'submitting' or "
        "state = 'accepted' or state = 'refused' or state = 'deferred' or state = 'uncertain' or "
        "state = 'abandoned'), code integer not null, enhanced text not null, reply text not null, "
        "message_id text not null, queue_id text not null, created bigint not null, "
        "changed bigint not null, not_before bigint not null, unknown_count integer not null, "
        "unknown_at bigint not null, relay text not null, last_delivery bigint not null)"
        " without rowid",
        name);
}

/// Final ones are nearly all of them: only the few open ones are looked for by state.
const Steps submission_indexes{
    "create index submission_open on submission (state) where state = 'submitting' or state = "
    "'deferred' or state = 'uncertain' or state = 'abandoned'",
    "create index submission_queue_id on submission (queue_id)",
    // For people (history_queries.hpp): the latest, the seldom ones among them, the provider's id.
    "create index submission_created on submission (created, private_id)",
    "create index submission_refused on submission (created, private_id) where state = 'refused'",
    "create index submission_message_id on submission (message_id) where message_id <> ''",
};

const Steps claims{
    // Which relay works on a hand-over, and until when by the database's clock.
    "create table claim (n text primary key, relay text not null, until bigint not null)"
    " without rowid",
    // The last run of each relay: two hosts with one name shall not take each other's claims.
    "create table relay (name text primary key, run text not null) without rowid",
};

/// So that evidence can say which journal knows it (belonging.hpp).
Steps identity() {
    return {"create table identity (id text primary key)",
            fmt::format("insert into identity values ('{}')", hex(view(new_nonce())))};
}

Steps joined(std::initializer_list<Steps> parts) {
    Steps all;
    for (const Steps &part : parts)
        all.insert(all.end(), part.begin(), part.end());
    return all;
}

/// An empty database to version 2. History is append-only: no statement of the project changes it.
Steps from_nothing() {
    return joined({
        {"create table schema_version (version integer not null)",
         "insert into schema_version values (2)",
         "create table hand_over (n text primary key, content text not null, account text not "
         "null, sender text not null, created bigint not null, envelope_sender text not null, "
         "mail_id text not null, seal_time bigint not null) without rowid",
         "create index hand_over_mail_id on hand_over (mail_id)", submission_table("submission")},
        submission_indexes,
        {"create table recipient (n text not null, address text not null, private_id text not null "
         "references submission(private_id), field text not null, code integer not null, "
         "enhanced text not null, reply text not null, primary key (n, address)) without rowid",
         "create table history (private_id text not null, at bigint not null, state text not "
         "null, code integer not null, reply text not null, primary key (private_id, at, state))"
         " without rowid"},
        claims,
        identity(),
    });
}

/// Version 1 was SQLite's alone. It changes no check constraint: submissions move to a new table.
Steps from_1() {
    return joined({
        {"alter table hand_over add column envelope_sender text not null default ''",
         "alter table hand_over add column mail_id text not null default ''",
         "alter table hand_over add column seal_time bigint not null default 0",
         "update hand_over set seal_time = created",
         "create index hand_over_mail_id on hand_over (mail_id)", submission_table("submission_2"),
         "insert into submission_2 select private_id, n, account, state, code, enhanced, reply, "
         "message_id, queue_id, created, changed, not_before, unknown_count, unknown_at, '', "
         "changed from submission",
         "drop table submission", "alter table submission_2 rename to submission"},
        submission_indexes,
        claims,
        identity(),
        {"update schema_version set version = 2"},
    });
}

long long version_of(soci::session &sql, const Dialect &dialect) {
    long long tables = 0;
    sql << dialect.find_schema, soci::into(tables);
    long long version = 0;
    if (tables > 0) sql << "select version from schema_version", soci::into(version);
    if (version > schema_version)
        throw Unavailable(fmt::format("the journal was written by a newer version (schema {}, "
                                      "this one knows {}): install the newer version again",
                                      version, schema_version));
    return version;
}

} // namespace

void migrate(soci::session &sql, const Dialect &dialect) {
    if (version_of(sql, dialect) == schema_version) return;
    Transaction transaction(sql, dialect);
    if (*dialect.lock_schema != '\0') sql << dialect.lock_schema;
    const long long version = version_of(sql, dialect); // another relay may have been faster
    const Steps steps = version == 0 ? from_nothing() : version == 1 ? from_1() : Steps{};
    for (std::string step : steps) {
        if (!dialect.without_rowid && step.ends_with(without_rowid))
            step.resize(step.size() - without_rowid.size());
        sql << step;
    }
    transaction.commit();
}

std::string identity_of(soci::session &sql) {
    std::string id;
    sql << "select id from identity", soci::into(id);
    return id;
}

} // namespace demail::journal
