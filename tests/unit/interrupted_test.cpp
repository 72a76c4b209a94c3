// What an earlier run was at when it ended: uncertain before mail is taken, or soon after where
// there is very much of it.
#include "journal_fixture.hpp"
#include "relay/interrupted.hpp"

#include <sqlite3.h>

#include <thread>

using namespace demail;
using namespace demail::journal;
using namespace demail::test;

namespace {

using namespace std::chrono_literals;

constexpr std::int64_t many = 45'000;

/// A journal with so many submissions amid an attempt.
struct LeftBehind : Store<Sqlite> {
    LeftBehind() {
        sqlite3 *database = nullptr;
        CHECK_EQUAL(::sqlite3_open(url.substr(10).c_str(), &database), SQLITE_OK);
        const std::string rows = " from (with recursive c(i) as (select 1 union all select i + 1 "
                                 "from c where i < " +
                                 std::to_string(many) + ") select printf('%032x', i) as n from c)";
        for (const std::string &one :
             {"insert into hand_over select n, '', 'firm', 'anna@firm.de-mail.de', 1, '', '', 1" +
                  rows,
              "insert into submission select 'g1-00000000' || n, n, 'firm', 'submitting', 0, '', "
              "'', '', '', 1, 1, 0, 0, 0, 'host-a', 1" +
                  rows})
            CHECK_EQUAL(::sqlite3_exec(database, one.c_str(), nullptr, nullptr, nullptr),
                        SQLITE_OK);
        ::sqlite3_close(database);
    }
};

Time clock_of_the_test() {
    return 5000;
}

void all_is_settled_before_mail_is_taken() {
    const LeftBehind store;
    const relay::Interrupted interrupted(*store.journal, clock_of_the_test, 60s);
    auto counts = store.journal->counts(0);
    CHECK_EQUAL(counts[State::submitting], 0);
    CHECK_EQUAL(counts[State::uncertain], many);
}

void with_no_patience_mail_is_taken_meanwhile_and_the_rest_follows() {
    const LeftBehind store;
    {
        const relay::Interrupted interrupted(*store.journal, clock_of_the_test, 0s);
        CHECK(store.journal->counts(0)[State::uncertain] > 0);
        for (int tries = 0; store.journal->counts(0)[State::uncertain] < many; ++tries) {
            CHECK(tries < 1000);
            std::this_thread::sleep_for(10ms);
        }
    }
    CHECK_EQUAL(store.journal->counts(0)[State::submitting], 0);
}

void an_end_amid_it_leaves_the_rest_to_the_next_run() {
    const LeftBehind store;
    { const relay::Interrupted interrupted(*store.journal, clock_of_the_test, 0s); }
    const relay::Interrupted next(*store.journal, clock_of_the_test, 60s);
    CHECK_EQUAL(store.journal->counts(0)[State::uncertain], many);
}

} // namespace

int main() {
    return run("interrupted", {TEST(all_is_settled_before_mail_is_taken),
                               TEST(with_no_patience_mail_is_taken_meanwhile_and_the_rest_follows),
                               TEST(an_end_amid_it_leaves_the_rest_to_the_next_run)});
}
