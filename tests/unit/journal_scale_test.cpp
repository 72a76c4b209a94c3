// The journal's work for a De-Mail does not grow with the journal: each statement that SQLite runs
// takes as many steps among many rows as among few, and PostgreSQL reads no table whole.
#include "journal/history.hpp"
#include "journal_fixture.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <thread>

using namespace demail;
using namespace demail::journal;
using namespace demail::test;

namespace {

constexpr int few = 300, many = 30000;

constexpr const char *indexes[] = {"hand_over_mail_id",   "submission_open",
                                   "submission_queue_id", "submission_created",
                                   "submission_refused",  "submission_message_id"};

/// Rows as years leave them: accepted but for some of each other state, however many there are.
/// `source` gives c(i), `digits` 32 of hex for i.
std::vector<std::string> filling(const std::string &source, const std::string &digits) {
    const std::string id = "'g1-' || substr(" + digits + ", 1, 32) || '00000000'";
    return {
        fmt::format("insert into hand_over select {0}, 'c0ffee', 'firm', 'anna@firm.de-mail.de', "
                    "i * 1000, 'anna@firm.example', '<' || {0} || '@firm.example>', i * 1000 from "
                    "{1}",
                    digits, source),
        fmt::format("insert into submission select {2}, {0}, 'firm', case when i > 75 then "
                    "'accepted' when i > 60 then 'refused' when i > 45 then 'deferred' when i > 30 "
                    "then 'uncertain' when i > 15 then 'abandoned' else 'submitting' end, 250, "
                    "'2.0.0', 'Accepted', case when i > 75 then '<' || {0} || '@fp>' else '' end, "
                    "'Q' || {0}, i * 1000, i * 1000, case when i > 30 then 0 else {3} end, 0, 0, "
                    "'host-b', i * 1000 from {1}",
                    digits, source, id, never_again),
        fmt::format("insert into recipient select {0}, 'a@x.de-mail.de', {2}, 'to', 0, '', '' from "
                    "{1}",
                    digits, source, id),
        fmt::format("insert into history select {2}, i * 1000, 'accepted', 250, 'Accepted' from "
                    "{1}",
                    digits, source, id),
    };
}

/// All that the relay and demailctl ask a journal to do. The nonces begin with ff, the filled ones
/// with 00.
template <typename Place>
void live(Store<Place> &store) {
    constexpr Time later = Time{many} * 2000;
    std::vector<Kept> told;
    for (unsigned char i = 0; i < 4; ++i) {
        const Nonce n = nonce(0xff, i);
        Journal &journal = *store.journal;
        Submission one = submission_of(n, "visible", {"a@x.de-mail.de", "b@x.de-mail.de"});
        one.created = later + i;
        {
            const Claim claim(journal, n);
            CHECK(claim.held());
            CHECK(!journal.content_of(n));
            journal.begin(hand_over_of(n), one);
            for (const State state : {State::deferred, State::uncertain}) {
                one.state = state;
                journal.settle(one, later + 10);
                CHECK_EQUAL(journal.of_hand_over(n).size(), 1U);
                CHECK(journal.content_of(n));
                journal.begin_again(one, later + 20);
            }
        }
        store.reopen(); // as after a crash
        CHECK(store.journal->settle_interrupted(later + 30) > 0);
        if (i == 0) continue; // stays open
        one.state = State::accepted;
        one.message_id = "<" + std::to_string(i) + "@fp>";
        one.recipients[1].outcome = Reply{550, "5.1.1", "Not known there"};
        store.journal->settle(one, later + 40);
        told.push_back({hand_over_of(n), one, later});
    }
    Journal &journal = *store.journal;
    CHECK(!journal.given_up(later, later, 10).empty());
    told.push_back({hand_over_of(nonce(0xff, 9)),
                    submission_of(nonce(0xff, 9), "visible", {"a@x.de-mail.de"}), later});
    CHECK_EQUAL(journal.restore(told, later), 1U);
    CHECK_EQUAL(journal.identity().size(), 32U);
    CHECK(journal.counts(later)[State::uncertain] > 0);

    History &history = journal.history();
    const Submission last = told[0].submission;
    const std::string gateway_part(last.private_id.gateway_part());
    CHECK_EQUAL(history.find(Clue::queue_id, "4abc", 10).size(), 5U);
    CHECK_EQUAL(history.find(Clue::mail_id, "<1@firm.example>", 10).size(), 5U);
    CHECK_EQUAL(history.find(Clue::message_id, "<2@fp>", 10).size(), 1U);
    CHECK_EQUAL(history.find(Clue::private_id, last.private_id.str(), 10).size(), 1U);
    CHECK_EQUAL(history.find(Clue::beginning, gateway_part, 10).size(), 1U);
    CHECK(history.story(last.n, "").has_value());
    CHECK(history.story(last.n, last.private_id.str()).has_value());
    for (const std::optional<State> state :
         {std::optional<State>(), std::optional(State::submitting), std::optional(State::accepted),
          std::optional(State::refused), std::optional(State::deferred),
          std::optional(State::uncertain), std::optional(State::abandoned)})
        for (const std::optional<journal::Place> &behind :
             {std::optional<journal::Place>(), std::optional(journal::Place{later + 2, "x"})})
            (void)history.list({state, 0, behind, 3});
}

// SQLite

struct Steps {
    long long taken = 0; ///< of SQLite's machine
    long long whole = 0; ///< from row to row of a table that is read whole
};

/// By their text: the most that one execution of a statement took.
std::map<std::string, Steps> &steps() {
    static std::map<std::string, Steps> all;
    return all;
}

int ended(unsigned, void *, void *statement, void *) noexcept {
    auto *one = static_cast<sqlite3_stmt *>(statement);
    try {
        Steps &most = steps()[::sqlite3_sql(one)];
        most.taken = std::max<long long>(most.taken,
                                         ::sqlite3_stmt_status(one, SQLITE_STMTSTATUS_VM_STEP, 1));
        most.whole = std::max<long long>(
            most.whole, ::sqlite3_stmt_status(one, SQLITE_STMTSTATUS_FULLSCAN_STEP, 1) +
                            ::sqlite3_stmt_status(one, SQLITE_STMTSTATUS_AUTOINDEX, 1));
    } catch (const std::exception &) { // no memory: the test misses a statement
    }
    return 0;
}

/// Of every connection that this program opens.
int watch(sqlite3 *connection, const char **, const sqlite3_api_routines *) noexcept {
    return ::sqlite3_trace_v2(connection, SQLITE_TRACE_PROFILE, ended, nullptr);
}

void with_sqlite(const std::string &file, const std::vector<std::string> &statements) {
    sqlite3 *database = nullptr;
    CHECK_EQUAL(::sqlite3_open(file.c_str(), &database), SQLITE_OK);
    for (const std::string &one : statements)
        CHECK_EQUAL(::sqlite3_exec(database, one.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    ::sqlite3_close(database);
}

std::string file_of(const Sqlite &place) {
    return place.directory.path() + "/journal.db";
}

/// What the statements of a life took in a journal of so many rows.
std::map<std::string, Steps> life_among(int rows, const std::vector<std::string> &change = {}) {
    Store<Sqlite> store;
    with_sqlite(file_of(store),
                filling(fmt::format("(with recursive c(i) as (select 1 union all select i + 1 from "
                                    "c where i < {}) select i from c)",
                                    rows),
                        "printf('%032x', i)"));
    with_sqlite(file_of(store), change);
    ::sqlite3_auto_extension(reinterpret_cast<void (*)()>(watch));
    store.reopen();
    steps().clear();
    live(store);
    ::sqlite3_reset_auto_extension();
    return std::move(steps());
}

/// The statements that take more among many rows, with what they take.
std::string growing(const std::map<std::string, Steps> &small,
                    const std::map<std::string, Steps> &large) {
    std::string found;
    for (const auto &[text, most] : large) {
        const auto before = small.find(text);
        if (before == small.end() || most.taken > before->second.taken + before->second.taken / 4 ||
            most.whole > before->second.whole + 10)
            found += fmt::format("{}\n  takes {} steps, {} of them from row to row of a whole "
                                 "table, in place of {}\n",
                                 text, most.taken, most.whole,
                                 before == small.end() ? 0 : before->second.taken);
    }
    return found;
}

void no_statement_takes_more_among_many_rows_in_sqlite() {
    const auto small = life_among(few), large = life_among(many);
    CHECK(large.size() > 30); // statements were seen at all
    CHECK_EQUAL(growing(small, large), "");
}

/// No index is there in vain, and these tests see what it is for.
void without_any_one_of_the_indexes_some_statement_does_in_sqlite() {
    for (const char *index : indexes) {
        const std::vector<std::string> dropped{fmt::format("drop index {}", index)};
        if (growing(life_among(few, dropped), life_among(many, dropped)).empty())
            throw std::runtime_error(fmt::format("nothing is missed without {}", index));
    }
}

// PostgreSQL

/// What a life has read whole in a journal of many rows; "" for nothing.
std::string read_whole(const std::string &change = "") {
    Store<Postgresql> store;
    for (const std::string &one :
         filling(fmt::format("generate_series(1, {}) as c(i)", many), "lpad(to_hex(i), 32, '0')"))
        store.sql(one);
    store.sql("analyze"); // as autovacuum does
    if (!change.empty()) store.sql(change);
    const auto close = [&] { // a connection tells at its end what it has read
        store.journal.reset();
        for (int tries = 0; store.sql("select count(*) from pg_stat_activity where datname = "
                                      "current_database()") != "1";
             ++tries) {
            CHECK(tries < 500);
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
    };
    const auto tables = [&] {
        return store.sql("select string_agg(relname || ' ' || seq_scan, ', ' order by relname) "
                         "from pg_stat_user_tables where relname in ('hand_over', 'submission', "
                         "'recipient', 'history')");
    };
    const auto entries = [&] {
        return std::stoll(store.sql("select sum(idx_tup_read) from pg_stat_user_indexes"));
    };
    close();
    const std::string tables_before = tables();
    const long long entries_before = entries();
    store.reopen();
    live(store);
    close();
    const long long taken = entries() - entries_before;
    CHECK(taken > 0);
    std::string found;
    if (const std::string after = tables(); after != tables_before)
        found = fmt::format("tables read whole: {}, before: {}; ", after, tables_before);
    if (taken > many / 2) found += fmt::format("{} entries of indexes", taken);
    return found;
}

void no_table_is_read_whole_in_postgresql() {
    CHECK_EQUAL(read_whole(), "");
}

void without_any_one_of_the_indexes_one_is() {
    for (const char *index : indexes)
        if (read_whole(fmt::format("drop index {}", index)).empty())
            throw std::runtime_error(fmt::format("nothing is missed without {}", index));
}

} // namespace

int main() {
    const int in_sqlite =
        run("journal scale", {TEST(no_statement_takes_more_among_many_rows_in_sqlite),
                              TEST(without_any_one_of_the_indexes_some_statement_does_in_sqlite)});
    if (!PostgresqlServer::installed()) {
        std::puts("PostgreSQL is not installed: not tested in it");
        return in_sqlite;
    }
    return in_sqlite +
           run("journal scale in PostgreSQL", {TEST(no_table_is_read_whole_in_postgresql),
                                               TEST(without_any_one_of_the_indexes_one_is)});
}
