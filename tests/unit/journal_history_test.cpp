// What the journal tells people, in SQLite and in PostgreSQL: found by each kind of clue, told in
// full, and never by reading a whole table.
#include "journal/history.hpp"
#include "journal/history_queries.hpp"
#include "journal_fixture.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cstdio>

using namespace demail;
using namespace demail::journal;
using namespace demail::test;

namespace {

/// Begun at `created`, at the queue id "Q" and its number, by the mail "<NUMBER@firm.example>".
Submission begun(Journal &journal, unsigned char number, Time created,
                 const std::vector<std::string> &recipients = {"a@x.de-mail.de"},
                 const std::string &of_class = "visible") {
    HandOver given = hand_over(number);
    given.mail_id = "<" + std::to_string(number) + "@firm.example>";
    Submission one = submission(number, of_class, recipients);
    one.queue_id = "Q" + std::to_string(number);
    one.created = created;
    journal.begin(given, one);
    return one;
}

void settled(Journal &journal, Submission &one, State state, Time at,
             const std::string &message_id = "") {
    one.state = state;
    one.outcome = state == State::accepted ? Reply{250, "2.0.0", "Accepted"}
                                           : Reply{451, "4.4.2", "Not known"};
    one.message_id = message_id;
    journal.settle(one, at);
}

std::string found_by(Journal &journal, Clue clue, const std::string &text) {
    std::string all;
    for (const Found &one : journal.history().find(clue, text, 10))
        all += std::to_string(one.n[0]) + (one.private_id.empty() ? " " : "! ");
    return all;
}

template <typename Place>
void each_clue_leads_to_its_hand_over() {
    Store<Place> store;
    Submission first = begun(*store.journal, 1, 1000), second = begun(*store.journal, 2, 2000);
    settled(*store.journal, second, State::accepted, 3000, "<77@provider>");
    CHECK_EQUAL(found_by(*store.journal, Clue::queue_id, "Q1"), "1 ");
    CHECK_EQUAL(found_by(*store.journal, Clue::mail_id, "<2@firm.example>"), "2 ");
    CHECK_EQUAL(found_by(*store.journal, Clue::message_id, "<77@provider>"), "2! ");
    CHECK_EQUAL(found_by(*store.journal, Clue::private_id, first.private_id.str()), "1! ");
    const std::string digits(first.private_id.gateway_part());
    CHECK_EQUAL(found_by(*store.journal, Clue::beginning, digits), "1! ");
    CHECK_EQUAL(found_by(*store.journal, Clue::beginning, digits.substr(0, 11)), "1! ");
    CHECK_EQUAL(store.journal->history().find(Clue::beginning, "g1-", 10).size(), 2U);
    CHECK_EQUAL(store.journal->history().find(Clue::beginning, "g1-", 1).size(), 1U);
    for (const Clue clue : {Clue::queue_id, Clue::mail_id, Clue::message_id, Clue::private_id})
        for (const char *text : {"Q", "' or '1' = '1", "g1-", ""})
            CHECK_EQUAL(found_by(*store.journal, clue, text), "");
}

template <typename Place>
void a_short_queue_id_that_came_again_leads_to_the_latest_first() {
    Store<Place> store;
    for (unsigned char n = 1; n <= 3; ++n) {
        Submission one = submission(n, "visible", {"a@x.de-mail.de"});
        one.created = n == 2 ? 5000 : n * 1000;
        store.journal->begin(hand_over(n), one);
    }
    CHECK_EQUAL(found_by(*store.journal, Clue::queue_id, "4abc"), "2 3 1 ");
}

template <typename Place>
void a_story_tells_all_of_a_hand_over() {
    Store<Place> store;
    Submission visible = begun(*store.journal, 1, 1000, {"a@x.de-mail.de", "b@x.de-mail.de"});
    Submission hidden = begun(*store.journal, 1, 1500, {"c@x.de-mail.de"}, "bcc:c@x.de-mail.de");
    settled(*store.journal, visible, State::uncertain, 2000);
    visible.recipients[1].outcome = Reply{550, "5.1.1", "Not known there"};
    settled(*store.journal, visible, State::accepted, 3000, "<77@provider>");
    const auto story = store.journal->history().story(nonce(1), "");
    CHECK(story.has_value());
    CHECK_EQUAL(story->hand_over.account, "firm");
    CHECK_EQUAL(story->hand_over.sender.str(), "anna@firm.de-mail.de");
    CHECK_EQUAL(story->hand_over.envelope_sender, "anna@firm.example");
    CHECK_EQUAL(story->hand_over.mail_id, "<1@firm.example>");
    CHECK_EQUAL(story->hand_over.seal_time, 900);
    CHECK_EQUAL(story->first_brought, 1000);
    CHECK_EQUAL(story->all, 2U);
    CHECK_EQUAL(story->submissions.size(), 2U);
    const Told &told = story->submissions[0];
    CHECK(told.submission.private_id == visible.private_id);
    CHECK_EQUAL(told.submission.message_id, "<77@provider>");
    CHECK_EQUAL(told.submission.queue_id, "Q1");
    CHECK_EQUAL(told.submission.relay, "host-a");
    CHECK_EQUAL(told.recipients, 2U);
    CHECK(!told.submission.recipients[0].outcome);
    CHECK_EQUAL(told.submission.recipients[1].outcome->enhanced, "5.1.1");
    std::string changes;
    for (const Change &one : told.changes)
        changes += std::to_string(one.at) + " " + std::string(name(one.state)) + " " +
                   std::to_string(one.code) + "; ";
    CHECK_EQUAL(changes, "1000 submitting 0; 2000 uncertain 451; 3000 accepted 250; ");
    CHECK(story->submissions[1].submission.private_id == hidden.private_id);

    const auto only = store.journal->history().story(nonce(1), hidden.private_id.str());
    CHECK_EQUAL(only->submissions.size(), 1U);
    CHECK_EQUAL(only->all, 2U);
    CHECK(!store.journal->history().story(nonce(9), ""));
}

template <typename Place>
void a_hand_over_to_thousands_is_told_within_the_limits() {
    Store<Place> store;
    std::vector<std::string> many;
    for (int i = 0; i < 700; ++i)
        many.push_back("r" + std::to_string(i) + "@x.de-mail.de");
    begun(*store.journal, 1, 1000, many);
    for (std::size_t i = 0; i < most_told + 20; ++i) {
        const std::string hidden = "h" + std::to_string(i) + "@x.de-mail.de";
        begun(*store.journal, 1, 2000, {hidden}, "bcc:" + hidden);
    }
    const auto story = store.journal->history().story(nonce(1), "");
    CHECK_EQUAL(story->all, most_told + 21);
    CHECK_EQUAL(story->submissions.size(), most_told);
    std::size_t recipients = 0, most = 0;
    for (const Told &one : story->submissions) {
        recipients += one.submission.recipients.size();
        most = std::max(most, one.recipients);
    }
    CHECK(recipients <= most_recipients_told);
    CHECK(most == 700 || most == 1);
}

/// "3 2 1": the hand-overs of a list.
std::string listed(Journal &journal, const ListQuery &query) {
    std::string all;
    for (const Listed &one : journal.history().list(query))
        all += std::to_string(one.submission.n[0]) + " ";
    return all;
}

template <typename Place>
void a_list_begins_with_the_latest_and_goes_on_where_it_stopped() {
    Store<Place> store;
    for (unsigned char n = 1; n <= 6; ++n)
        begun(*store.journal, n, n < 3 ? 1000 : 2000);
    ListQuery query;
    std::string all;
    for (query.limit = 4; all.size() < 12;) {
        const auto page = store.journal->history().list(query);
        CHECK(!page.empty());
        for (const Listed &one : page)
            all += std::to_string(one.submission.n[0]) + " ";
        query.behind = {page.back().submission.created, page.back().submission.private_id.str()};
    }
    CHECK_EQUAL(listed(*store.journal, query), "");
    query.behind.reset();
    query.limit = 10;
    CHECK_EQUAL(all, listed(*store.journal, query));
    std::sort(all.begin(), all.begin() + 8);
    std::sort(all.begin() + 8, all.end());
    CHECK_EQUAL(all, "    3456  12");
}

template <typename Place>
void a_list_is_of_a_state_and_of_a_time() {
    Store<Place> store;
    const State states[] = {State::accepted, State::refused, State::uncertain, State::deferred,
                            State::accepted};
    for (unsigned char n = 1; n <= 5; ++n) {
        Submission one = begun(*store.journal, n, n * 1000);
        settled(*store.journal, one, states[n - 1], 10000);
    }
    begun(*store.journal, 6, 6000);
    const auto of = [&](std::optional<State> state, Time since) {
        return listed(*store.journal, {state, since, std::nullopt, 10});
    };
    CHECK_EQUAL(of(std::nullopt, 0), "6 5 4 3 2 1 ");
    CHECK_EQUAL(of(std::nullopt, 4000), "6 5 4 ");
    CHECK_EQUAL(of(State::accepted, 0), "5 1 ");
    CHECK_EQUAL(of(State::refused, 0), "2 ");
    CHECK_EQUAL(of(State::uncertain, 0), "3 ");
    CHECK_EQUAL(of(State::deferred, 5000), "");
    CHECK_EQUAL(of(State::submitting, 0), "6 ");
}

template <typename Place>
void a_list_shows_the_first_recipients_and_how_many_there_are() {
    Store<Place> store;
    begun(*store.journal, 1, 1000,
          {"a@x.de-mail.de", "b@x.de-mail.de", "c@x.de-mail.de", "d@x.de-mail.de"});
    const auto list = store.journal->history().list({});
    CHECK_EQUAL(list.at(0).sender, "anna@firm.de-mail.de");
    CHECK_EQUAL(list.at(0).recipients, 4U);
    CHECK_EQUAL(list.at(0).submission.recipients.size(), most_recipients_listed);
}

/// A question and the index, or key, that answers it.
struct Plan {
    std::string query, index;
};

std::vector<Plan> plans() {
    std::vector<Plan> all{
        {queries::by_queue_id, "submission_queue_id"},
        {queries::by_mail_id, "hand_over_mail_id"},
        {queries::by_message_id, "submission_message_id"},
        {queries::by_private_id, "submission key"},
        {queries::by_beginning, "submission key"},
        {queries::hand_over, "hand_over key"},
        {queries::private_ids, "recipient key"},
        {queries::count_of_private_ids, "recipient key"},
        {queries::submission, "submission key"},
        {queries::recipients, "recipient key"},
        {queries::count_of_recipients, "recipient key"},
        {queries::changes, "history key"},
        {queries::list({}), "submission_created"},
        {queries::list({State::accepted, 0, std::nullopt, 1}), "submission_created"},
        {queries::list({std::nullopt, 0, Place{1, "x"}, 1}), "submission_created"},
        {queries::list({State::uncertain, 0, std::nullopt, 1}), "submission_open"},
    };
    for (const std::optional<Place> &place : {std::optional<Place>(), std::optional(Place{1, "x"})})
        all.push_back({queries::list({State::refused, 0, place, 1}), "submission_refused"});
    return all;
}

std::string replaced(std::string text, const std::string &from, const std::string &to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
        text.replace(at, from.size(), to);
    return text;
}

void sqlite_reads_no_whole_table() {
    Store<Sqlite> store;
    sqlite3 *database = nullptr;
    CHECK_EQUAL(::sqlite3_open(store.url.substr(10).c_str(), &database), SQLITE_OK);
    for (const Plan &one : plans()) {
        std::string said;
        const auto row = [](void *to, int, char **columns, char **) {
            static_cast<std::string *>(to)->append(columns[3]).append("; ");
            return 0;
        };
        const std::string sql = "explain query plan " + one.query;
        CHECK_EQUAL(::sqlite3_exec(database, sql.c_str(), row, &said, nullptr), SQLITE_OK);
        const std::string how =
            one.index.ends_with(" key")
                ? one.index.substr(0, one.index.size() - 4) + " USING PRIMARY KEY"
                : "INDEX " + one.index;
        if (said.find("SCAN") != std::string::npos || said.find(how) == std::string::npos)
            throw std::runtime_error(one.query + " is answered by: " + said);
    }
    ::sqlite3_close(database);
}

void postgresql_reads_no_whole_table() {
    Store<Postgresql> store;
    for (const Plan &one : plans()) {
        std::string sql = one.query;
        for (const char *number : {":limit", ":since", ":created", ":before"})
            sql = replaced(sql, number, "1");
        for (const char *word : {":key", ":end", ":behind", ":private_id", ":n"})
            sql = replaced(sql, word, "'g1-0'");
        // The tables are empty: there a plan that reads them whole would be the better one.
        const std::string said =
            store.sql("set enable_seqscan = off; explain (format json) " + sql);
        const std::string how = one.index.ends_with(" key")
                                    ? one.index.substr(0, one.index.size() - 4) + "_pkey"
                                    : one.index;
        if (said.find("Seq Scan") != std::string::npos || said.find(how) == std::string::npos)
            throw std::runtime_error(one.query + " is answered by: " + said);
    }
}

template <typename Place>
std::vector<Case> cases() {
    return {
        TEST(each_clue_leads_to_its_hand_over<Place>),
        TEST(a_short_queue_id_that_came_again_leads_to_the_latest_first<Place>),
        TEST(a_story_tells_all_of_a_hand_over<Place>),
        TEST(a_hand_over_to_thousands_is_told_within_the_limits<Place>),
        TEST(a_list_begins_with_the_latest_and_goes_on_where_it_stopped<Place>),
        TEST(a_list_is_of_a_state_and_of_a_time<Place>),
        TEST(a_list_shows_the_first_recipients_and_how_many_there_are<Place>),
    };
}

} // namespace

int main() {
    auto in_sqlite = cases<Sqlite>();
    in_sqlite.push_back(TEST(sqlite_reads_no_whole_table));
    const int failed = run("history in SQLite", in_sqlite);
    if (!PostgresqlServer::installed()) {
        std::puts("PostgreSQL is not installed: not tested in it");
        return failed;
    }
    auto in_postgresql = cases<Postgresql>();
    in_postgresql.push_back(TEST(postgresql_reads_no_whole_table));
    return failed + run("history in PostgreSQL", in_postgresql);
}
