// The journal in SQLite and in PostgreSQL, both real: what returned is on disk, nothing goes
// backwards, no recipient twice.
#include "journal_fixture.hpp"

#include <cstdio>

using namespace demail;
using namespace demail::journal;
using namespace demail::test;

namespace {

template <typename Place>
void a_submission_is_found_again_after_a_restart() {
    Store<Place> store;
    store.journal->begin(hand_over(1),
                         submission(1, "visible", {"a@x.de-mail.de", "b@x.de-mail.de"}));
    store.reopen();
    CHECK_EQUAL(*store.journal->content_of(nonce(1)), "c0ffee");
    CHECK(!store.journal->content_of(nonce(2)));
    const auto found = store.journal->of_hand_over(nonce(1));
    CHECK_EQUAL(found.size(), 1U);
    CHECK(found[0].state == State::submitting);
    CHECK_EQUAL(found[0].recipients.size(), 2U);
    CHECK_EQUAL(found[0].recipients[1].recipient.address.str(), "b@x.de-mail.de");
    CHECK_EQUAL(found[0].queue_id, "4abc");
    CHECK(found[0].private_id.str().ends_with(";file 7"));
}

template <typename Place>
void a_recipient_of_a_hand_over_belongs_to_one_submission() {
    Store<Place> store;
    store.journal->begin(hand_over(1), submission(1, "visible", {"a@x.de-mail.de"}));
    CHECK_THROWS(store.journal->begin(hand_over(1), submission(1, "visible/2", {"a@x.de-mail.de"})),
                 Conflict);
    CHECK_THROWS(store.journal->begin(hand_over(1), submission(1, "visible", {"b@x.de-mail.de"})),
                 Conflict);
    CHECK_EQUAL(store.journal->of_hand_over(nonce(1)).size(), 1U);
    store.journal->begin(hand_over(2), submission(2, "visible", {"a@x.de-mail.de"}));
}

template <typename Place>
void what_a_crash_cut_off_is_uncertain() {
    Store<Place> store;
    store.journal->begin(hand_over(1), submission(1, "visible", {"a@x.de-mail.de"}));
    Submission refused = submission(2, "visible", {"a@x.de-mail.de"});
    store.journal->begin(hand_over(2), refused);
    refused.state = State::refused;
    store.journal->settle(refused, 2000);
    store.reopen();
    CHECK_EQUAL(store.journal->settle_interrupted(3000), 1);
    CHECK(store.journal->of_hand_over(nonce(1))[0].state == State::uncertain);
    CHECK(store.journal->of_hand_over(nonce(2))[0].state == State::refused);
    CHECK_EQUAL(store.journal->settle_interrupted(3000), 0);
}

template <typename Place>
void what_is_final_stays() {
    Store<Place> store;
    Submission one = submission(1, "visible", {"a@x.de-mail.de"});
    store.journal->begin(hand_over(1), one);
    one.state = State::accepted;
    one.message_id = "<1@fp>";
    one.outcome = {250, "2.0.0", "Accepted"};
    store.journal->settle(one, 2000);
    one.state = State::deferred;
    one.outcome = {451, "4.4.1", "later"};
    store.journal->settle(one, 3000);
    CHECK_THROWS(store.journal->begin_again(one, 4000), Conflict);
    const auto found = store.journal->of_hand_over(nonce(1));
    CHECK(found[0].state == State::accepted);
    CHECK_EQUAL(found[0].message_id, "<1@fp>");
    CHECK_EQUAL(found[0].outcome.text, "Accepted");
}

template <typename Place>
void a_clock_that_stands_still_costs_nothing() {
    Store<Place> store;
    Submission one = submission(1, "visible", {"a@x.de-mail.de"});
    store.journal->begin(hand_over(1), one);
    one.state = State::uncertain;
    store.journal->settle(one, one.created);
    one.unknown_count = 1;
    store.journal->settle(one, one.created);
    CHECK_EQUAL(store.journal->of_hand_over(nonce(1))[0].unknown_count, 1);
}

template <typename Place>
void a_read_leaves_nothing_open_behind() {
    Store<Place> store;
    std::vector<std::string> many;
    for (int i = 0; i < 20; ++i)
        many.push_back(std::to_string(i) + "@x.de-mail.de");
    store.journal->begin(hand_over(1), submission(1, "visible", many));
    CHECK(store.journal->content_of(nonce(1)));
    CHECK_EQUAL(store.journal->of_hand_over(nonce(1))[0].recipients.size(), many.size());
    // Another connection has written since: an old snapshot could not be written from.
    const auto other = Journal::open(store.url, "host-b");
    other->begin(hand_over(2), submission(2, "visible", {"a@x.de-mail.de"}));
    store.journal->begin(hand_over(3), submission(3, "visible", {"a@x.de-mail.de"}));
    CHECK_EQUAL(other->of_hand_over(nonce(3)).size(), 1U);
}

template <typename Place>
void each_recipient_keeps_a_fate_of_its_own() {
    Store<Place> store;
    Submission one = submission(1, "visible", {"a@x.de-mail.de", "b@x.de-mail.de"});
    store.journal->begin(hand_over(1), one);
    one.state = State::accepted;
    one.recipients[1].outcome = Reply{550, "5.1.1", "unknown"};
    store.journal->settle(one, 2000);
    const auto found = store.journal->of_hand_over(nonce(1));
    CHECK(!found[0].recipients[0].outcome);
    CHECK_EQUAL(found[0].recipients[1].outcome->enhanced, "5.1.1");
}

template <typename Place>
void a_further_attempt_frees_the_recipients_it_drops() {
    Store<Place> store;
    Submission one = submission(1, "visible", {"a@x.de-mail.de", "b@x.de-mail.de"});
    store.journal->begin(hand_over(1), one);
    one.state = State::deferred;
    store.journal->settle(one, 2000);
    one.recipients.pop_back();
    store.journal->begin_again(one, 3000);
    CHECK_EQUAL(store.journal->of_hand_over(nonce(1))[0].recipients.size(), 1U);
    store.journal->begin(hand_over(1), submission(1, "visible/2", {"b@x.de-mail.de"}));
    CHECK_EQUAL(store.journal->of_hand_over(nonce(1)).size(), 2U);
}

template <typename Place>
void counts_say_how_many_are_in_each_state() {
    Store<Place> store;
    store.journal->begin(hand_over(1), submission(1, "visible", {"a@x.de-mail.de"}));
    store.journal->begin(hand_over(2), submission(2, "visible", {"a@x.de-mail.de"}));
    Submission old = submission(3, "visible", {"a@x.de-mail.de"});
    store.journal->begin(hand_over(3), old);
    old.state = State::accepted;
    store.journal->settle(old, 2000);
    CHECK_EQUAL(store.journal->counts(0)[State::submitting], 2);
    CHECK_EQUAL(store.journal->counts(1000)[State::accepted], 1);
    // Years leave many final ones: only those begun since are counted, and all that are open.
    auto later = store.journal->counts(1001);
    CHECK_EQUAL(later[State::submitting], 2);
    CHECK_EQUAL(later.count(State::accepted), 0U);
}

template <typename Place>
void what_people_look_for_is_written() {
    Store<Place> store;
    Submission one = submission(1, "visible", {"a@x.de-mail.de"});
    store.journal->begin(hand_over(1), one);
    one.state = State::deferred;
    store.journal->settle(one, 2000);
    store.journal->begin_again(one, 3000);
    const auto found = store.journal->of_hand_over(nonce(1));
    CHECK_EQUAL(found[0].relay, "host-a");
    CHECK_EQUAL(found[0].last_delivery, 3000);
    CHECK_EQUAL(found[0].created, 1000);
}

template <typename Place>
void an_abandoned_one_is_looked_up_and_then_final() {
    Store<Place> store;
    Submission one = submission(1, "visible", {"a@x.de-mail.de"});
    store.journal->begin(hand_over(1), one);
    one.state = State::abandoned;
    store.journal->settle(one, 2000);
    CHECK(store.journal->of_hand_over(nonce(1))[0].state == State::abandoned);
    CHECK_EQUAL(store.journal->counts(0)[State::abandoned], 1);
    one.state = State::accepted;
    store.journal->settle(one, 3000);
    CHECK(store.journal->of_hand_over(nonce(1))[0].state == State::accepted);
}

template <typename Place>
void text_from_outside_is_stored_whatever_it_holds() {
    Store<Place> store;
    Submission one = submission(1, "visible", {"a@x.de-mail.de"});
    one.queue_id = std::string("4\xff\0'", 4);
    HandOver from = hand_over(1);
    from.mail_id = "<" + std::string(5000, 'x') + "@firm.example>";
    from.envelope_sender = "j\xc3\xbcrgen@firm.example";
    store.journal->begin(from, one);
    one.state = State::refused;
    one.outcome = {550, "5.6.0", std::string(997, 'x') + "\xc3\xbc"};
    store.journal->settle(one, 2000);
    const auto found = store.journal->of_hand_over(nonce(1));
    CHECK_EQUAL(found[0].queue_id, "4"
                                   "?"
                                   "?'");
    CHECK_EQUAL(found[0].outcome.text, std::string(997, 'x'));
}

template <typename Place>
void one_delivery_at_a_time_has_a_hand_over() {
    Store<Place> store;
    {
        const Claim first(*store.journal, nonce(1));
        CHECK(first.held());
        CHECK(!Claim(*store.journal, nonce(1)).held());
        CHECK(Claim(*store.journal, nonce(2)).held());
        CHECK(!Claim(*store.journal, nonce(1)).held());
    }
    CHECK(Claim(*store.journal, nonce(1)).held());
}

template <typename Place>
std::vector<Case> cases() {
    return {
        TEST(a_submission_is_found_again_after_a_restart<Place>),
        TEST(a_recipient_of_a_hand_over_belongs_to_one_submission<Place>),
        TEST(what_a_crash_cut_off_is_uncertain<Place>),
        TEST(what_is_final_stays<Place>),
        TEST(a_clock_that_stands_still_costs_nothing<Place>),
        TEST(a_read_leaves_nothing_open_behind<Place>),
        TEST(each_recipient_keeps_a_fate_of_its_own<Place>),
        TEST(a_further_attempt_frees_the_recipients_it_drops<Place>),
        TEST(counts_say_how_many_are_in_each_state<Place>),
        TEST(what_people_look_for_is_written<Place>),
        TEST(an_abandoned_one_is_looked_up_and_then_final<Place>),
        TEST(text_from_outside_is_stored_whatever_it_holds<Place>),
        TEST(one_delivery_at_a_time_has_a_hand_over<Place>),
    };
}

} // namespace

int main() {
    const int in_sqlite = run("journal in SQLite", cases<Sqlite>());
    if (!PostgresqlServer::installed()) {
        std::puts("PostgreSQL is not installed: not tested in it");
        return in_sqlite;
    }
    return in_sqlite + run("journal in PostgreSQL", cases<Postgresql>());
}
