// PostgreSQL goes away, comes back, dies and hangs under the journal: every call says so in its
// time, what returned is there, and it goes on by itself.
#include "journal_fixture.hpp"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

using namespace demail;
using namespace demail::journal;
using namespace demail::test;
using namespace std::chrono_literals;

namespace {

const std::vector<std::string> recipient{"a@x.de-mail.de"};

void every_call_is_unavailable(Journal &journal) {
    CHECK_THROWS(journal.claim(nonce(9)), Unavailable);
    CHECK_THROWS(journal.content_of(nonce(1)), Unavailable);
    CHECK_THROWS(journal.of_hand_over(nonce(1)), Unavailable);
    CHECK_THROWS(journal.begin(hand_over(9), submission(9, "visible", recipient)), Unavailable);
    CHECK_THROWS(journal.settle(submission(1, "visible", recipient), 2000), Unavailable);
    CHECK_THROWS(journal.counts(0), Unavailable);
    CHECK_THROWS(journal.settle_interrupted(1), Unavailable);
    journal.release(nonce(1));
}

std::ptrdiff_t open_files() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

void it_goes_on(Journal &journal) {
    CHECK_EQUAL(journal.of_hand_over(nonce(1)).size(), 1U);
    CHECK(journal.claim(nonce(9)));
    journal.begin(hand_over(9), submission(9, "visible", recipient));
    journal.release(nonce(9));
    CHECK_EQUAL(journal.of_hand_over(nonce(9)).size(), 1U);
}

void a_restart_of_the_server_costs_nothing() {
    Store<Postgresql> store;
    CHECK(store.journal->claim(nonce(1)));
    store.journal->begin(hand_over(1), submission(1, "visible", recipient));
    postgresql_server().stop();
    postgresql_server().start();
    it_goes_on(*store.journal);
}

void while_the_server_is_away_every_call_is_unavailable() {
    Store<Postgresql> store;
    CHECK(store.journal->claim(nonce(1)));
    store.journal->begin(hand_over(1), submission(1, "visible", recipient));
    postgresql_server().stop();
    every_call_is_unavailable(*store.journal);
    const std::ptrdiff_t open = open_files();
    for (int i = 0; i < 20; ++i)
        every_call_is_unavailable(*store.journal);
    CHECK_EQUAL(open_files(), open);
    postgresql_server().start();
    it_goes_on(*store.journal);
}

void what_returned_outlives_a_server_that_is_killed() {
    Store<Postgresql> store;
    CHECK(store.journal->claim(nonce(1)));
    store.journal->begin(hand_over(1), submission(1, "visible", recipient));
    postgresql_server().kill();
    postgresql_server().start();
    it_goes_on(*store.journal);
}

void a_relay_starts_before_its_server() {
    Postgresql place;
    postgresql_server().stop();
    const auto journal = Journal::open(place.url, "host-a");
    CHECK_THROWS(journal->content_of(nonce(1)), Unavailable);
    postgresql_server().start();
    CHECK(!journal->content_of(nonce(1)));
    journal->begin(hand_over(1), submission(1, "visible", recipient));
}

void a_connection_that_the_server_ends_is_replaced() {
    Store<Postgresql> store;
    store.journal->begin(hand_over(1), submission(1, "visible", recipient));
    store.sql(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = "
        "'demail-relay' and datname = current_database()");
    it_goes_on(*store.journal);
}

/// The server waits for a standby that does not exist: the commit has happened, its answer does not
/// come before the connection is ended.
struct CommitsWithoutAnswer {
    explicit CommitsWithoutAnswer(Postgresql &at) : place(at) {
        place.sql("alter system set synchronous_standby_names = 'nobody'");
        place.sql("select pg_reload_conf()");
        until("show synchronous_standby_names", "nobody");
    }
    ~CommitsWithoutAnswer() {
        place.sql("alter system reset synchronous_standby_names");
        place.sql("select pg_reload_conf()");
        until("show synchronous_standby_names", "");
    }
    void end_the_one_that_waits() const {
        until("select count(*) from pg_stat_activity where wait_event = 'SyncRep'", "1");
        place.sql("select pg_terminate_backend(pid) from pg_stat_activity where wait_event = "
                  "'SyncRep'");
    }
    void until(const std::string &question, const std::string &answer) const {
        for (int tries = 0; tries < 500 && place.sql(question) != answer; ++tries)
            std::this_thread::sleep_for(10ms);
    }
    Postgresql &place;
};

void a_commit_without_an_answer_is_read_again() {
    Store<Postgresql> store;
    Submission one = submission(1, "visible", recipient);
    std::string fault;
    {
        const CommitsWithoutAnswer lost(store);
        const auto without_answer = [&](const auto &act) {
            std::thread writing([&] {
                try {
                    act();
                } catch (const std::exception &error) {
                    fault = error.what();
                }
            });
            lost.end_the_one_that_waits();
            writing.join();
        };
        without_answer([&] { store.journal->begin(hand_over(1), one); });
        CHECK_EQUAL(fault, "");
        one.state = State::deferred;
        without_answer([&] { store.journal->settle(one, 2000); });
        CHECK_EQUAL(fault, "");
        without_answer([&] { store.journal->begin_again(one, 3000); });
        CHECK_EQUAL(fault, "");
    }
    const auto found = store.journal->of_hand_over(nonce(1));
    CHECK_EQUAL(found.size(), 1U);
    CHECK(found[0].state == State::submitting);
    CHECK_EQUAL(found[0].changed, 3000);
}

/// A trigger that fails at the commit, as a server does that cannot write any more.
void a_commit_that_failed_is_not_taken_for_done() {
    Store<Postgresql> store;
    store.sql("create function fail() returns trigger language plpgsql as "
              "'begin raise exception ''no''; end'");
    store.sql("create constraint trigger fail after insert on submission deferrable initially "
              "deferred for each row execute function fail()");
    CHECK_THROWS(store.journal->begin(hand_over(1), submission(1, "visible", recipient)),
                 Unavailable);
    CHECK(!store.journal->content_of(nonce(1)));
}

void a_server_that_hangs_does_not_hang_the_relay() {
    Store<Postgresql> store;
    store.journal->begin(hand_over(1), submission(1, "visible", recipient));
    postgresql_server().hang();
    const auto began = std::chrono::steady_clock::now();
    CHECK_THROWS(store.journal->content_of(nonce(1)), Unavailable); // an open connection
    CHECK_THROWS(store.journal->content_of(nonce(1)), Unavailable); // a new one
    const auto took = std::chrono::steady_clock::now() - began;
    postgresql_server().go_on();
    CHECK(took < 25s);
    CHECK_EQUAL(store.journal->of_hand_over(nonce(1)).size(), 1U);
}

void a_lock_that_is_not_given_back_does_not_hang_the_relay() {
    Store<Postgresql> store;
    store.journal->begin(hand_over(1), submission(1, "visible", recipient));
    std::thread holding([&] {
        try {
            store.sql("begin; lock table submission; select pg_sleep(30)");
        } catch (const std::exception &) { // ended below
        }
    });
    while (store.sql("select count(*) from pg_locks where mode = 'AccessExclusiveLock' and "
                     "relation = 'submission'::regclass") != "1")
        std::this_thread::sleep_for(10ms);
    const auto began = std::chrono::steady_clock::now();
    CHECK_THROWS(store.journal->begin_again(submission(1, "visible", recipient), 2000),
                 Unavailable);
    const auto took = std::chrono::steady_clock::now() - began;
    store.sql("select pg_terminate_backend(pid) from pg_stat_activity where query like "
              "'%pg_sleep(30)' and pid <> pg_backend_pid()");
    holding.join();
    CHECK(took < 9s);
    store.journal->begin_again(submission(1, "visible", recipient), 3000);
}

void a_server_that_does_without_the_disk_by_default_writes_ours_there() {
    Postgresql place;
    place.sql("do $$ begin execute 'alter database ' || current_database() || ' set "
              "synchronous_commit = off'; end $$");
    const auto journal = Journal::open(place.url, "host-a");
    journal->begin(hand_over(1), submission(1, "visible", recipient));
    postgresql_server().kill();
    postgresql_server().start();
    CHECK_EQUAL(journal->of_hand_over(nonce(1)).size(), 1U);
}

} // namespace

int main() {
    if (!PostgresqlServer::installed()) {
        std::puts("PostgreSQL is not installed");
        return 77;
    }
    return run("journal and its server",
               {
                   TEST(a_restart_of_the_server_costs_nothing),
                   TEST(while_the_server_is_away_every_call_is_unavailable),
                   TEST(what_returned_outlives_a_server_that_is_killed),
                   TEST(a_relay_starts_before_its_server),
                   TEST(a_connection_that_the_server_ends_is_replaced),
                   TEST(a_commit_without_an_answer_is_read_again),
                   TEST(a_commit_that_failed_is_not_taken_for_done),
                   TEST(a_server_that_hangs_does_not_hang_the_relay),
                   TEST(a_lock_that_is_not_given_back_does_not_hang_the_relay),
                   TEST(a_server_that_does_without_the_disk_by_default_writes_ours_there),
               });
}
