// The journal on a real SQLite file: what returned is on disk, nothing goes backwards, no recipient
// twice.
#include "check.hpp"
#include "journal/journal.hpp"
#include "temporary_directory.hpp"

#include <sqlite3.h>

#include <fstream>

using namespace demail;
using namespace demail::journal;

namespace {

const SealKey key("k1", std::string(32, 'k'));

Nonce nonce(unsigned char first) {
    Nonce n{};
    n[0] = first;
    return n;
}

Submission submission(unsigned char n, const std::string &of_class,
                      const std::vector<std::string> &recipients) {
    Submission made;
    made.private_id = PrivateId::make(key, nonce(n), of_class, "file 7");
    made.n = nonce(n);
    made.account = "firm";
    made.created = 1000;
    made.queue_id = "4abc";
    for (const std::string &one : recipients)
        made.recipients.push_back({{*Address::parse(one), RecipientField::to}, std::nullopt});
    return made;
}

HandOver hand_over(unsigned char n, const std::string &content = "c0ffee") {
    return {nonce(n), content, "firm", *Address::parse("anna@firm.de-mail.de")};
}

struct Store {
    test::TemporaryDirectory directory;
    std::string url = "sqlite3://" + directory.path() + "/journal.db";
    std::unique_ptr<Journal> journal = Journal::open(url);
    void reopen() {
        journal.reset();
        journal = Journal::open(url);
    }
};

void a_submission_is_found_again_after_a_restart() {
    Store store;
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

void a_recipient_of_a_hand_over_belongs_to_one_submission() {
    Store store;
    store.journal->begin(hand_over(1), submission(1, "visible", {"a@x.de-mail.de"}));
    CHECK_THROWS(store.journal->begin(hand_over(1), submission(1, "visible/2", {"a@x.de-mail.de"})),
                 Conflict);
    CHECK_THROWS(store.journal->begin(hand_over(1), submission(1, "visible", {"b@x.de-mail.de"})),
                 Conflict);
    CHECK_EQUAL(store.journal->of_hand_over(nonce(1)).size(), 1U);
    store.journal->begin(hand_over(2), submission(2, "visible", {"a@x.de-mail.de"}));
}

void what_a_crash_cut_off_is_uncertain() {
    Store store;
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

void what_is_final_stays() {
    Store store;
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

void a_clock_that_stands_still_costs_nothing() {
    Store store;
    Submission one = submission(1, "visible", {"a@x.de-mail.de"});
    store.journal->begin(hand_over(1), one);
    one.state = State::uncertain;
    store.journal->settle(one, one.created);
    one.unknown_count = 1;
    store.journal->settle(one, one.created);
    CHECK_EQUAL(store.journal->of_hand_over(nonce(1))[0].unknown_count, 1);
}

void a_read_leaves_nothing_open_behind() {
    Store store;
    std::vector<std::string> many;
    for (int i = 0; i < 20; ++i)
        many.push_back(std::to_string(i) + "@x.de-mail.de");
    store.journal->begin(hand_over(1), submission(1, "visible", many));
    CHECK(store.journal->content_of(nonce(1)));
    CHECK_EQUAL(store.journal->of_hand_over(nonce(1))[0].recipients.size(), many.size());
    // Another connection has written since: an old snapshot could not be written from.
    const auto other = Journal::open(store.url);
    other->begin(hand_over(2), submission(2, "visible", {"a@x.de-mail.de"}));
    store.journal->begin(hand_over(3), submission(3, "visible", {"a@x.de-mail.de"}));
    CHECK_EQUAL(other->of_hand_over(nonce(3)).size(), 1U);
}

void each_recipient_keeps_a_fate_of_its_own() {
    Store store;
    Submission one = submission(1, "visible", {"a@x.de-mail.de", "b@x.de-mail.de"});
    store.journal->begin(hand_over(1), one);
    one.state = State::accepted;
    one.recipients[1].outcome = Reply{550, "5.1.1", "unknown"};
    store.journal->settle(one, 2000);
    const auto found = store.journal->of_hand_over(nonce(1));
    CHECK(!found[0].recipients[0].outcome);
    CHECK_EQUAL(found[0].recipients[1].outcome->enhanced, "5.1.1");
}

void a_further_attempt_frees_the_recipients_it_drops() {
    Store store;
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

void counts_say_how_many_are_in_each_state() {
    Store store;
    store.journal->begin(hand_over(1), submission(1, "visible", {"a@x.de-mail.de"}));
    store.journal->begin(hand_over(2), submission(2, "visible", {"a@x.de-mail.de"}));
    CHECK_EQUAL(store.journal->counts()[State::submitting], 2);
}

void a_newer_journal_is_refused_in_words() {
    Store store;
    store.journal.reset();
    sqlite3 *database = nullptr;
    CHECK_EQUAL(sqlite3_open((store.directory.path() + "/journal.db").c_str(), &database),
                SQLITE_OK);
    CHECK_EQUAL(
        sqlite3_exec(database, "update schema_version set version = 99", nullptr, nullptr, nullptr),
        SQLITE_OK);
    sqlite3_close(database);
    std::string sentence;
    try {
        store.journal = Journal::open(store.url);
    } catch (const Unavailable &error) {
        sentence = error.what();
    }
    CHECK(sentence.find("newer version") != std::string::npos);
}

void a_damaged_journal_is_unavailable() {
    test::TemporaryDirectory directory;
    std::ofstream(directory.path() + "/journal.db") << std::string(8192, 'x');
    CHECK_THROWS(Journal::open("sqlite3://" + directory.path() + "/journal.db"), Unavailable);
    CHECK_THROWS(Journal::open("sqlite3:///nowhere/journal.db"), Unavailable);
    CHECK_THROWS(Journal::open("mysql://x"), Unavailable);
}

} // namespace

int main() {
    return test::run("journal", {
                                    TEST(a_submission_is_found_again_after_a_restart),
                                    TEST(a_recipient_of_a_hand_over_belongs_to_one_submission),
                                    TEST(what_a_crash_cut_off_is_uncertain),
                                    TEST(what_is_final_stays),
                                    TEST(a_clock_that_stands_still_costs_nothing),
                                    TEST(a_read_leaves_nothing_open_behind),
                                    TEST(each_recipient_keeps_a_fate_of_its_own),
                                    TEST(a_further_attempt_frees_the_recipients_it_drops),
                                    TEST(counts_say_how_many_are_in_each_state),
                                    TEST(a_newer_journal_is_refused_in_words),
                                    TEST(a_damaged_journal_is_unavailable),
                                });
}
