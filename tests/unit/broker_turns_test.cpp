// In which turn clients get the card, and who gets it how often.
#include "base/handle.hpp"
#include "broker/access.hpp"
#include "broker/fair_queue.hpp"
#include "check.hpp"

#include <grp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <thread>

using namespace demail;
using namespace demail::broker;
using namespace std::chrono_literals;

namespace {

using Turns = FairQueue<std::string>;

std::string next(Turns &turns) {
    return turns.take(Clock::now()).value_or("-");
}

void a_client_is_served_in_its_order() {
    Turns turns;
    for (const char *job : {"a1", "a2", "a3"})
        CHECK(turns.put(1, job));
    for (const char *job : {"a1", "a2", "a3", "-"})
        CHECK_EQUAL(next(turns), job);
}

void clients_take_turns() {
    Turns turns;
    for (const char *job : {"a1", "a2", "a3", "a4"})
        CHECK(turns.put(1, job));
    for (const char *job : {"b1", "b2"})
        CHECK(turns.put(2, job));
    CHECK(turns.put(3, "c1"));
    std::string order;
    for (int i = 0; i < 7; ++i)
        order += next(turns);
    CHECK_EQUAL(order, "a1b1c1a2b2a3a4");
}

void one_that_comes_back_while_the_other_is_served_is_next() {
    Turns turns;
    for (const char *job : {"a1", "a2", "a3", "a4"})
        CHECK(turns.put(1, job));
    CHECK(turns.put(2, "b1"));
    std::string order;
    for (int i = 2; i < 5; ++i) {
        order += next(turns); // of the first
        order += next(turns); // of the second, which then asks again
        CHECK(turns.put(2, "b" + std::to_string(i)));
    }
    CHECK_EQUAL(order, "a1b1a2b2a3b3");
}

void a_crowd_of_new_clients_does_not_pass_one_that_waits() {
    Turns turns;
    CHECK(turns.put(1, "old"));
    for (Turns::Client client = 2; client < 50; ++client)
        CHECK(turns.put(client, "new"));
    CHECK_EQUAL(next(turns), "old");
}

void a_full_or_closed_queue_takes_nothing() {
    Turns turns;
    CHECK(turns.put(1, "a", 1));
    CHECK(!turns.put(2, "b", 1));
    turns.close();
    CHECK(!turns.put(1, "c"));
    CHECK_EQUAL(next(turns), "-");
    CHECK(turns.closed());
}

void a_wake_ends_a_wait() {
    Turns turns;
    std::thread waker([&] {
        std::this_thread::sleep_for(20ms);
        turns.wake();
    });
    const auto began = Clock::now();
    CHECK(!turns.take(began + 10s).has_value());
    CHECK(Clock::now() - began < 5s);
    waker.join();
}

AllowRule rule(const char *key, const char *user, const char *group, unsigned rate) {
    AllowRule one;
    one.key = key;
    one.user = user;
    one.group = group;
    one.per_minute = rate;
    return one;
}

void the_first_rule_that_fits_decides() {
    const AccessRules rules({rule("demail-auth", "nobody", "", 5), rule("demail-*", "", "root", 7),
                             rule("*", "no such user", "", 9)});
    const Peer nobody{65534, 1, {65534}}, member{1, 1, {1, 0}}, stranger{1, 1, {1}};
    CHECK_EQUAL(rules.may_use(nobody, "demail-auth").value_or(0), 5U);
    CHECK(!rules.may_use(nobody, "demail-sign").has_value());
    CHECK_EQUAL(rules.may_use(member, "demail-sign").value_or(0), 7U);
    CHECK(!rules.may_use(member, "netkey").has_value());
    CHECK(rules.may_use_some(member));
    CHECK(!rules.may_use_some(stranger));
    // A name that does not exist allows nobody, not everybody.
    CHECK(!rules.may_use(stranger, "netkey").has_value());
}

void root_administers_and_signs_only_where_a_rule_says_so() {
    const AccessRules rules({rule("demail-auth", "nobody", "", 5)});
    const Peer root{0, 1, {0}};
    CHECK(rules.may_act(root));
    CHECK(rules.may_look(root));
    CHECK(!rules.may_use(root, "demail-auth").has_value());
    CHECK(!rules.may_act({65534, 1, {65534}}));
    CHECK(!rules.may_look({65534, 1, {65534}}));
}

void the_peer_is_told_with_all_its_groups() {
    std::array<int, 2> ends{};
    CHECK_EQUAL(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    const Fd one(ends[0]), other(ends[1]);
    const auto peer = peer_of(one.get());
    CHECK(peer.has_value());
    CHECK_EQUAL(peer->uid, ::getuid());
    CHECK_EQUAL(peer->pid, ::getpid());
    CHECK(std::find(peer->groups.begin(), peer->groups.end(), ::getgid()) != peer->groups.end());
    CHECK(!peer_of(STDIN_FILENO + 1000).has_value());
}

void a_rate_is_of_one_user_with_one_key_and_fills_up_again() {
    RateLimit limit;
    const auto start = Clock::now();
    for (int i = 0; i < 3; ++i)
        CHECK(limit.take(1, "demail-auth", 3, start));
    CHECK(!limit.take(1, "demail-auth", 3, start));
    CHECK(limit.take(2, "demail-auth", 3, start));
    CHECK(limit.take(1, "demail-sign", 3, start));
    CHECK(!limit.take(1, "demail-auth", 3, start + 19s));
    CHECK(limit.take(1, "demail-auth", 3, start + 40s));
    CHECK(!limit.take(1, "demail-auth", 3, start + 40s));
    for (int i = 0; i < 1000; ++i)
        CHECK(limit.take(1, "demail-enc", 0, start));
}

} // namespace

int main() {
    return test::run("broker_turns",
                     {TEST(a_client_is_served_in_its_order), TEST(clients_take_turns),
                      TEST(one_that_comes_back_while_the_other_is_served_is_next),
                      TEST(a_crowd_of_new_clients_does_not_pass_one_that_waits),
                      TEST(a_full_or_closed_queue_takes_nothing), TEST(a_wake_ends_a_wait),
                      TEST(the_first_rule_that_fits_decides),
                      TEST(root_administers_and_signs_only_where_a_rule_says_so),
                      TEST(the_peer_is_told_with_all_its_groups),
                      TEST(a_rate_is_of_one_user_with_one_key_and_fills_up_again)});
}
