// The journal's schema: an older one becomes this one with all that it holds, a newer one is
// refused, and two relays may start at once.
#include "journal_fixture.hpp"

#include <sqlite3.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <thread>

using namespace demail;
using namespace demail::journal;
using namespace demail::test;

namespace {

// As the first release wrote it.
constexpr std::array version_1{
    "create table schema_version (version integer not null)",
    "insert into schema_version values (1)",
    "create table hand_over (n varchar(32) primary key, content varchar(128) not null, account "
    "varchar(255) not null, sender varchar(255) not null, created bigint not null) without rowid",
    "create table submission (private_id varchar(1024) primary key, n varchar(32) not null "
    "references hand_over(n), account varchar(255) not null, state varchar(16) not null check "
    "(state = 'submitting' or state = 'accepted' or state = 'refused' or state = 'deferred' or "
    "state = 'uncertain'), code integer not null, enhanced varchar(16) not null, reply "
    "varchar(1024) not null, message_id varchar(1024) not null, queue_id varchar(255) not null, "
    "created bigint not null, changed bigint not null, not_before bigint not null, "
    "unknown_count integer not null, unknown_at bigint not null) without rowid",
    "create index submission_open on submission (state) where state = 'submitting' or state = "
    "'deferred' or state = 'uncertain'",
    "create table recipient (n varchar(32) not null, address varchar(320) not null, "
    "private_id varchar(1024) not null references submission(private_id), field varchar(3) not "
    "null, code integer not null, enhanced varchar(16) not null, reply varchar(1024) not null, "
    "primary key (n, address)) without rowid",
    "create table history (private_id varchar(1024) not null, at bigint not null, state "
    "varchar(16) not null, code integer not null, reply varchar(1024) not null, primary key "
    "(private_id, at, state)) without rowid",
};

std::string with_sqlite(const std::string &file, const std::string &text) {
    sqlite3 *database = nullptr;
    std::string value;
    char *message = nullptr;
    sqlite3_open(file.c_str(), &database);
    const int result = sqlite3_exec(
        database, text.c_str(),
        [](void *to, int, char **values, char **) {
            *static_cast<std::string *>(to) = values[0] != nullptr ? values[0] : "";
            return 0;
        },
        &value, &message);
    const std::string said = message != nullptr ? message : "";
    sqlite3_free(message);
    sqlite3_close(database);
    if (result != SQLITE_OK) throw std::runtime_error(said);
    return value;
}

struct Version1 : Sqlite {
    std::string file = directory.path() + "/journal.db";
    Version1() {
        for (const char *statement : version_1)
            with_sqlite(file, statement);
        const std::string n = "01" + std::string(30, '0');
        with_sqlite(file, "insert into hand_over values ('" + n +
                              "', 'c0ffee', 'firm', 'anna@firm.de-mail.de', 1000)");
        const Submission one = submission(1, "visible", {"a@x.de-mail.de"});
        const Submission other = submission(1, "bcc:b@x.de-mail.de", {"b@x.de-mail.de"});
        const auto add = [&](const Submission &added, const std::string &rest) {
            with_sqlite(file, "insert into submission values ('" + added.private_id.str() + "', '" +
                                  n + "', 'firm', " + rest + ")");
            with_sqlite(file, "insert into recipient values ('" + n + "', '" +
                                  added.recipients[0].recipient.address.str() + "', '" +
                                  added.private_id.str() + "', 'to', 0, '', '')");
        };
        add(one, "'accepted', 250, '2.0.0', 'Accepted', '<1@fp>', '4abc', 1000, 2000, 0, 0, 0");
        add(other, "'uncertain', 451, '4.4.2', 'later', '', '4abc', 1000, 3000, 0, 1, 2500");
        with_sqlite(file, "insert into history values ('" + one.private_id.str() +
                              "', 2000, 'accepted', 250, 'Accepted')");
    }
};

void version_1_becomes_this_one_with_all_that_it_holds() {
    Store<Version1> store;
    CHECK_EQUAL(with_sqlite(store.file, "select version from schema_version"), "2");
    const auto found = store.journal->of_hand_over(nonce(1));
    CHECK_EQUAL(found.size(), 2U);
    for (const Submission &one : found) {
        const bool first = one.state == State::accepted;
        CHECK(first || one.state == State::uncertain);
        CHECK_EQUAL(one.message_id, first ? "<1@fp>" : "");
        CHECK_EQUAL(one.outcome.text, first ? "Accepted" : "later");
        CHECK_EQUAL(one.queue_id, "4abc");
        CHECK_EQUAL(one.unknown_count, first ? 0 : 1);
        CHECK_EQUAL(one.unknown_at, first ? 0 : 2500);
        CHECK_EQUAL(one.last_delivery, one.changed);
        CHECK_EQUAL(one.relay, "");
        CHECK_EQUAL(one.recipients.size(), 1U);
    }
    CHECK_EQUAL(*store.journal->content_of(nonce(1)), "c0ffee");
    CHECK_EQUAL(with_sqlite(store.file, "select seal_time || '|' || mail_id || '|' || "
                                        "envelope_sender from hand_over"),
                "1000||");
    CHECK_EQUAL(with_sqlite(store.file, "select count(*) from history"), "1");
    CHECK_EQUAL(with_sqlite(store.file, "select count(*) from pragma_foreign_key_check"), "0");
}

void a_migrated_journal_is_like_a_new_one() {
    Store<Version1> old;
    Store<Sqlite> fresh;
    const auto described = [](const std::string &file) {
        return with_sqlite(file,
                           "select group_concat(t.name || '.' || c.name || ' ' || c.\"notnull\""
                           " || c.pk, char(10)) from (select name from sqlite_master where "
                           "type = 'table' order by name) t, pragma_table_info(t.name) c");
    };
    const std::string fresh_file = fresh.directory.path() + "/journal.db";
    CHECK_EQUAL(described(old.file), described(fresh_file));
    const std::string indexes =
        "select group_concat(name || ' ' || sql, char(10)) from (select name, sql from "
        "sqlite_master where type = 'index' and sql is not null order by name)";
    CHECK_EQUAL(with_sqlite(old.file, indexes), with_sqlite(fresh_file, indexes));
    // The recipients' reference followed the table.
    CHECK_THROWS(with_sqlite(old.file, "pragma foreign_keys = on; insert into recipient values "
                                       "('x', 'y', 'none', 'to', 0, '', '')"),
                 std::runtime_error);
    // And it is written to as before.
    Submission waiting = old.journal->of_hand_over(nonce(1))[0];
    if (waiting.state == State::accepted) waiting = old.journal->of_hand_over(nonce(1))[1];
    waiting.state = State::abandoned;
    old.journal->settle(waiting, 4000);
    CHECK_EQUAL(old.journal->counts(0)[State::abandoned], 1);
    old.journal->begin(hand_over(2), submission(2, "visible", {"a@x.de-mail.de"}));
}

void a_migration_that_fails_leaves_the_old_one() {
    Version1 place;
    // What the migration makes is there already.
    with_sqlite(place.file, "create table claim (x integer)");
    CHECK_THROWS(Journal::open(place.url, "host-a"), Unavailable);
    CHECK_EQUAL(with_sqlite(place.file, "select version from schema_version"), "1");
    with_sqlite(place.file, "drop table claim");
    CHECK_EQUAL(Journal::open(place.url, "host-a")->of_hand_over(nonce(1)).size(), 2U);
}

std::string refusal(const std::string &url) {
    try {
        (void)Journal::open(url, "host-a");
    } catch (const Unavailable &error) {
        return error.what();
    }
    return {};
}

void a_newer_journal_in_sqlite_is_refused_in_words() {
    Store<Sqlite> store;
    store.journal.reset();
    with_sqlite(store.directory.path() + "/journal.db", "update schema_version set version = 99");
    CHECK(refusal(store.url).find("newer version") != std::string::npos);
}

void a_newer_journal_in_postgresql_is_refused_in_words() {
    Store<Postgresql> store;
    store.journal.reset();
    store.sql("update schema_version set version = 99");
    CHECK(refusal(store.url).find("newer version") != std::string::npos);
}

void what_is_no_journal_is_unavailable() {
    TemporaryDirectory directory;
    std::ofstream(directory.path() + "/journal.db") << std::string(8192, 'x');
    CHECK_THROWS(Journal::open("sqlite3://" + directory.path() + "/journal.db", "a"), Unavailable);
    CHECK_THROWS(Journal::open("sqlite3:///nowhere/journal.db", "a"), Unavailable);
    CHECK_THROWS(Journal::open("mysql://x", "a"), Unavailable);
    CHECK(refusal("postgresql://h/d?nonsense=1").find("nonsense") != std::string::npos);
    CHECK(refusal("postgresql://u:secret@h/d").find("password") != std::string::npos);
    CHECK(refusal("postgresql://u:secret@h/d").find("secret") == std::string::npos);
}

void relays_that_start_at_once_find_one_journal() {
    const Postgresql place;
    std::vector<std::thread> starting;
    std::vector<std::string> faults(6);
    for (std::size_t i = 0; i < faults.size(); ++i)
        starting.emplace_back([&, i] {
            try {
                const auto journal = Journal::open(place.url, "host-" + std::to_string(i));
                const auto n = static_cast<unsigned char>(i + 1);
                journal->begin(hand_over(n), submission(n, "visible", {"a@x.de-mail.de"}));
            } catch (const std::exception &error) {
                faults[i] = error.what();
            }
        });
    for (std::thread &one : starting)
        one.join();
    for (const std::string &fault : faults)
        CHECK_EQUAL(fault, "");
    CHECK_EQUAL(Journal::open(place.url, "host-9")->counts(0)[State::submitting], 6);
    // Nobody ran into the tables of another one.
    CHECK_EQUAL(place.sql("select xact_rollback from pg_stat_database where datname = "
                          "current_database()"),
                "0");
}

void a_database_in_another_encoding_is_refused() {
    Postgresql place;
    place.sql("create database latin encoding 'LATIN1' template template0");
    const std::string url = place.url.substr(0, place.url.rfind('/')) + "/latin";
    CHECK(refusal(url).find("UTF8") != std::string::npos);
}

} // namespace

int main() {
    const int in_sqlite =
        run("journal schema", {TEST(version_1_becomes_this_one_with_all_that_it_holds),
                               TEST(a_migrated_journal_is_like_a_new_one),
                               TEST(a_migration_that_fails_leaves_the_old_one),
                               TEST(a_newer_journal_in_sqlite_is_refused_in_words),
                               TEST(what_is_no_journal_is_unavailable)});
    if (!PostgresqlServer::installed()) {
        std::puts("PostgreSQL is not installed: not tested in it");
        return in_sqlite;
    }
    return in_sqlite + run("journal schema in PostgreSQL",
                           {TEST(a_newer_journal_in_postgresql_is_refused_in_words),
                            TEST(relays_that_start_at_once_find_one_journal),
                            TEST(a_database_in_another_encoding_is_refused)});
}
