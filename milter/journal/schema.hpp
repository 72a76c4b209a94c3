// The journal's tables. Times are microseconds in a bigint, digests and nonces hex: what SQLite and
// PostgreSQL agree on.
#pragma once

#include <array>

namespace demail::journal {

inline constexpr int schema_version = 1;

/// Statements that bring an empty database to version 1. History is append-only: no statement of
/// the project changes it.
///
/// A commit writes each page that it has touched, so rows lie in the tree of their key (`without
/// rowid`, SQLite's word, which PostgreSQL does without), and what a key's first column finds has
/// no index of its own.
inline constexpr std::array schema_1{
    "create table schema_version (version integer not null)",
    "insert into schema_version values (1)",
    "create table hand_over (n varchar(32) primary key, content varchar(128) not null, account "
    "varchar(255) not null, "
    "sender varchar(255) not null, created bigint not null) without rowid",
    "create table submission (private_id varchar(1024) primary key, n varchar(32) not null "
    "references hand_over(n), "
    "account varchar(255) not null, state varchar(16) not null check (state = 'submitting' or "
    "state = 'accepted' or state = 'refused' or state = 'deferred' or state = 'uncertain'), code "
    "integer not null, "
    "enhanced varchar(16) not null, reply varchar(1024) not null, message_id varchar(1024) not "
    "null, queue_id varchar(255) not null, "
    "created bigint not null, changed bigint not null, not_before bigint not null, "
    "unknown_count integer not null, unknown_at bigint not null) without rowid",
    // Final ones are nearly all of them: only the few open ones are looked for by state.
    "create index submission_open on submission (state) where state = 'submitting' or state = "
    "'deferred' or state = 'uncertain'",
    "create table recipient (n varchar(32) not null, address varchar(320) not null, "
    "private_id varchar(1024) not null references submission(private_id), field varchar(3) not "
    "null, "
    "code integer not null, enhanced varchar(16) not null, reply varchar(1024) not null, primary "
    "key (n, address)) without rowid",
    "create table history (private_id varchar(1024) not null, at bigint not null, state "
    "varchar(16) not null, "
    "code integer not null, reply varchar(1024) not null, primary key (private_id, at, state)) "
    "without rowid",
};

} // namespace demail::journal
