// Several relays with one journal in PostgreSQL: no hand-over has two of them at work, and what a
// dead one leaves behind is taken up.
#include "journal_fixture.hpp"

#include <atomic>
#include <cstdio>
#include <thread>

using namespace demail;
using namespace demail::journal;
using namespace demail::test;

namespace {

struct Hosts : Postgresql {
    std::unique_ptr<Journal> a = Journal::open(url, "host-a");
    std::unique_ptr<Journal> b = Journal::open(url, "host-b");
    void leases_run_out() const { sql("update claim set until = 1"); }
};

const std::vector<std::string> recipient{"a@x.de-mail.de"};

void two_hosts_never_work_on_one_hand_over() {
    Hosts hosts;
    {
        const Claim first(*hosts.a, nonce(1));
        CHECK(first.held());
        CHECK(!Claim(*hosts.b, nonce(1)).held());
        CHECK(Claim(*hosts.b, nonce(2)).held());
    }
    CHECK(Claim(*hosts.b, nonce(1)).held());
}

void of_many_that_come_at_once_one_has_it() {
    Hosts hosts;
    for (unsigned char n = 1; n <= 20; ++n) {
        std::atomic<int> held = 0;
        std::vector<std::thread> coming;
        for (Journal *host : {hosts.a.get(), hosts.b.get(), hosts.a.get(), hosts.b.get()})
            coming.emplace_back([&, host] {
                if (host->claim(nonce(n))) ++held;
            });
        for (std::thread &one : coming)
            one.join();
        CHECK_EQUAL(held.load(), 1);
    }
}

void a_restarted_relay_has_its_claims_at_once() {
    Hosts hosts;
    CHECK(hosts.a->claim(nonce(1)));
    hosts.a.reset(); // died: nothing was given back
    CHECK(!hosts.b->claim(nonce(1)));
    hosts.a = Journal::open(hosts.url, "host-a");
    CHECK(hosts.a->claim(nonce(1)));
}

void a_dead_hosts_claims_run_out() {
    Hosts hosts;
    CHECK(hosts.a->claim(nonce(1)));
    hosts.a->begin(hand_over(1), submission(1, "visible", recipient));
    hosts.a.reset();
    CHECK(!hosts.b->claim(nonce(1)));
    CHECK_EQUAL(hosts.b->settle_interrupted(5000), 0);
    hosts.leases_run_out();
    CHECK_EQUAL(hosts.b->settle_interrupted(5000), 1);
    CHECK(hosts.b->claim(nonce(1)));
    Submission found = hosts.b->of_hand_over(nonce(1))[0];
    CHECK(found.state == State::uncertain);
    CHECK_EQUAL(found.relay, "host-a");
    found.state = State::accepted;
    hosts.b->settle(found, 6000);
    CHECK_EQUAL(hosts.b->of_hand_over(nonce(1))[0].relay, "host-b");
}

void a_lease_is_counted_by_the_servers_clock() {
    Hosts hosts;
    CHECK(hosts.a->claim(nonce(1)));
    const std::string left =
        hosts.sql("select (until - extract(epoch from now()) * 1000000)::bigint / 60000000 from "
                  "claim");
    CHECK_EQUAL(std::stoll(left), lease.count() - 1);
}

void a_restart_settles_its_own_relays_submissions_alone() {
    Hosts hosts;
    CHECK(hosts.a->claim(nonce(1)));
    hosts.a->begin(hand_over(1), submission(1, "visible", recipient));
    CHECK(hosts.b->claim(nonce(2)));
    hosts.b->begin(hand_over(2), submission(2, "visible", recipient));
    hosts.a = Journal::open(hosts.url, "host-a");
    CHECK_EQUAL(hosts.a->settle_interrupted(5000), 1);
    CHECK(hosts.a->of_hand_over(nonce(1))[0].state == State::uncertain);
    CHECK(hosts.a->of_hand_over(nonce(2))[0].state == State::submitting);
}

void what_this_run_is_at_is_not_interrupted() {
    Hosts hosts;
    CHECK(hosts.a->claim(nonce(1)));
    Submission one = submission(1, "visible", recipient);
    one.created = std::chrono::duration_cast<std::chrono::microseconds>(
                      std::chrono::system_clock::now().time_since_epoch())
                      .count();
    hosts.a->begin(hand_over(1), one);
    CHECK_EQUAL(hosts.a->settle_interrupted(one.created + 1), 0);
}

void who_has_lost_its_claim_begins_nothing() {
    Hosts hosts;
    CHECK(hosts.a->claim(nonce(1)));
    hosts.leases_run_out(); // it hung for so long
    CHECK(hosts.b->claim(nonce(1)));
    CHECK_THROWS(hosts.a->begin(hand_over(1), submission(1, "visible", recipient)), Conflict);
    CHECK(!hosts.b->content_of(nonce(1)));
    Submission one = submission(1, "visible", recipient);
    hosts.b->begin(hand_over(1), one);
    CHECK_THROWS(hosts.a->begin_again(one, 5000), Conflict);
}

void who_has_lost_its_claim_says_only_what_is_final() {
    Hosts hosts;
    Submission one = submission(1, "visible", recipient);
    CHECK(hosts.a->claim(nonce(1)));
    hosts.a->begin(hand_over(1), one);
    hosts.leases_run_out();
    CHECK(hosts.b->claim(nonce(1)));
    hosts.b->begin_again(one, 4000);
    one.state = State::deferred; // its own attempt never left; the other one's may have
    hosts.a->settle(one, 5000);
    CHECK(hosts.b->of_hand_over(nonce(1))[0].state == State::submitting);
    one.state = State::accepted;
    hosts.a->settle(one, 6000);
    CHECK(hosts.b->of_hand_over(nonce(1))[0].state == State::accepted);
}

void an_attempt_has_a_whole_lease() {
    Hosts hosts;
    CHECK(hosts.a->claim(nonce(1)));
    hosts.sql("update claim set until = until - 60000000");
    const std::string before = hosts.sql("select until from claim");
    hosts.a->begin(hand_over(1), submission(1, "visible", recipient));
    CHECK(std::stoll(hosts.sql("select until from claim")) > std::stoll(before));
}

void two_hosts_with_one_name_are_told() {
    Hosts hosts;
    const auto second = Journal::open(hosts.url, "host-a");
    CHECK(second->claim(nonce(1)));
    std::string sentence;
    try {
        (void)hosts.a->claim(nonce(2));
    } catch (const Unavailable &error) {
        sentence = error.what();
    }
    CHECK(sentence.find("another relay with the name \"host-a\"") != std::string::npos);
    CHECK_THROWS(hosts.a->begin(hand_over(2), submission(2, "visible", recipient)), Unavailable);
}

void claims_that_ran_out_are_swept() {
    Hosts hosts;
    CHECK(hosts.a->claim(nonce(1)));
    CHECK(hosts.b->claim(nonce(2)));
    hosts.sql("update claim set until = 1 where relay = 'host-a'");
    (void)hosts.b->settle_interrupted(5000);
    CHECK_EQUAL(hosts.sql("select count(*) from claim"), "1");
}

void many_threads_write_at_once() {
    Hosts hosts;
    std::vector<std::thread> writing;
    std::atomic<int> failed = 0;
    for (unsigned char thread = 1; thread <= 12; ++thread)
        writing.emplace_back([&, thread] {
            Journal &host = thread % 2 == 0 ? *hosts.a : *hosts.b;
            for (unsigned char i = 0; i < 20; ++i)
                try {
                    const Nonce n = nonce(thread, i);
                    const Claim claim(host, n);
                    Submission one = submission_of(n, "visible", recipient);
                    host.begin(hand_over_of(n), one);
                    one.state = State::accepted;
                    host.settle(one, 2000);
                    if (host.of_hand_over(n).size() != 1) ++failed;
                } catch (const std::exception &) {
                    ++failed;
                }
        });
    for (std::thread &one : writing)
        one.join();
    CHECK_EQUAL(failed.load(), 0);
    CHECK_EQUAL(hosts.a->counts(0)[State::accepted], 240);
    CHECK_EQUAL(hosts.sql("select count(*) from claim"), "0");
}

void an_error_says_nothing_of_the_row() {
    Hosts hosts;
    hosts.sql("alter table recipient add check (address <> 'a@x.de-mail.de')");
    std::string sentence;
    try {
        hosts.a->begin(hand_over(1), submission(1, "visible", recipient));
    } catch (const Unavailable &error) {
        sentence = error.what();
    }
    CHECK(sentence.find("check constraint") != std::string::npos);
    CHECK(sentence.find("x.de-mail.de") == std::string::npos);
    CHECK(sentence.find('\n') == std::string::npos);
}

} // namespace

int main() {
    if (!PostgresqlServer::installed()) {
        std::puts("PostgreSQL is not installed");
        return 77;
    }
    return run("journal of several hosts",
               {
                   TEST(two_hosts_never_work_on_one_hand_over),
                   TEST(of_many_that_come_at_once_one_has_it),
                   TEST(a_restarted_relay_has_its_claims_at_once),
                   TEST(a_dead_hosts_claims_run_out),
                   TEST(a_lease_is_counted_by_the_servers_clock),
                   TEST(a_restart_settles_its_own_relays_submissions_alone),
                   TEST(what_this_run_is_at_is_not_interrupted),
                   TEST(who_has_lost_its_claim_begins_nothing),
                   TEST(who_has_lost_its_claim_says_only_what_is_final),
                   TEST(an_attempt_has_a_whole_lease),
                   TEST(two_hosts_with_one_name_are_told),
                   TEST(claims_that_ran_out_are_swept),
                   TEST(many_threads_write_at_once),
                   TEST(an_error_says_nothing_of_the_row),
               });
}
