// A journal that was lost learns from the evidence what was sent, in SQLite and in PostgreSQL: what
// is final stays final, what is not known to have been refused or never sent is looked up, and
// nothing is submitted before it knows.
#include "journal/belonging.hpp"
#include "journal/evidence.hpp"
#include "journal/history.hpp"
#include "journal_fixture.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

using namespace demail;
using namespace demail::journal;
using namespace demail::test;

namespace {

constexpr Time created = 1'796'000'000'123'000; // 2026-11-30

Submission of(unsigned char n, const std::vector<std::string> &recipients,
              const std::string &of_class = "visible") {
    Submission one = submission(n, of_class, recipients);
    one.created = created + n * 1'000'000;
    return one;
}

Submission ended(Submission one, State state, const Reply &reply,
                 const std::string &message_id = "") {
    one.state = state;
    one.outcome = reply;
    one.message_id = message_id;
    return one;
}

/// A host's evidence.
struct HostsEvidence {
    TemporaryDirectory directory;
    Evidence evidence{directory.path() + "/evidence"};
    Fd mail{::open(directory.path().c_str(), O_TMPFILE | O_RDWR, 0600)};

    HostsEvidence() {
        if (::write(mail.get(), "x\r\n\r\n", 5) != 5) throw std::runtime_error("write");
    }
    [[nodiscard]] const std::string &root() const { return evidence.root(); }
    [[nodiscard]] std::string place(const Submission &one) const {
        return root() + "/2026/11/" + std::string(one.private_id.digits());
    }
    void begin(const Submission &one, Time at) {
        EvidenceRecord record(root(), one);
        record.begin(hand_over_of(one.n), one, {mail.get(), 0, 5}, "y\r\n\r\n", {}, at);
        record.sending("<request/>");
    }
    void end(const Submission &one, Time at) { EvidenceRecord(root(), one).end(one, "", at); }
    /// The whole of an attempt.
    void attempt(const Submission &one, Time at) {
        begin(one, at);
        end(one, at + 500'000);
    }
};

template <typename Place>
struct Lost : Store<Place> {
    HostsEvidence kept;
    Rebuilt rebuilt() { return rebuild(*this->journal, kept.root(), created * 2); }
    Submission only(unsigned char n) {
        const auto found = this->journal->of_hand_over(nonce(n));
        CHECK_EQUAL(found.size(), 1U);
        return found.front();
    }
    bool belongs() {
        std::ifstream in(kept.root() + "/journal-identity");
        std::string line;
        return std::getline(in, line) && line == this->journal->identity();
    }
};

const Reply accepted_reply{250, "2.0.0", "Accepted"}, refused_reply{550, "5.1.1", "unknown"},
    deferred_reply{451, "4.4.1", "later"};

template <typename Place>
void each_state_comes_back_as_it_was_known() {
    Lost<Place> lost;
    Submission taken = ended(of(1, {"a@x.de-mail.de", "b@x.de-mail.de"}), State::accepted,
                             accepted_reply, "<1@fp>");
    taken.recipients[1].outcome = refused_reply;
    lost.kept.attempt(taken, taken.created);
    lost.kept.attempt(ended(of(2, {"a@x.de-mail.de"}), State::refused, refused_reply), created);
    Submission later = ended(of(3, {"a@x.de-mail.de"}), State::deferred, deferred_reply);
    later.not_before = created + 60'000'000;
    lost.kept.attempt(later, created);
    lost.kept.begin(of(4, {"a@x.de-mail.de"}), created);
    Submission given_up = ended(of(5, {"a@x.de-mail.de"}), State::abandoned, deferred_reply);
    given_up.not_before = never_again;
    lost.kept.attempt(given_up, created);

    const Rebuilt done = lost.rebuilt();
    CHECK_EQUAL(done.restored, 5U);
    CHECK_EQUAL(done.unreadable, 0U);
    const Submission one = lost.only(1);
    CHECK(one.state == State::accepted);
    CHECK_EQUAL(one.message_id, "<1@fp>");
    CHECK_EQUAL(one.outcome.text, "Accepted");
    CHECK_EQUAL(one.queue_id, "4abc");
    CHECK_EQUAL(one.created, taken.created);
    CHECK_EQUAL(one.changed, taken.created + 500'000);
    CHECK(one.private_id == taken.private_id);
    CHECK(!one.recipients[0].outcome);
    CHECK_EQUAL(one.recipients[1].outcome->enhanced, "5.1.1");
    CHECK_EQUAL(*lost.journal->content_of(nonce(1)), "c0ffee");
    CHECK(lost.only(2).state == State::refused);
    CHECK_EQUAL(lost.only(3).not_before, created + 60'000'000);
    CHECK(lost.only(4).state == State::uncertain);
    CHECK_EQUAL(lost.only(5).not_before, never_again);
    auto counts = lost.journal->counts(0);
    CHECK_EQUAL(counts[State::accepted] + counts[State::refused] + counts[State::deferred] +
                    counts[State::uncertain] + counts[State::abandoned],
                5);
    const auto story = lost.journal->history().story(nonce(1), "");
    CHECK_EQUAL(story->hand_over.envelope_sender, "anna@firm.example");
    CHECK_EQUAL(story->hand_over.mail_id, "<1@firm.example>");
    CHECK_EQUAL(story->submissions[0].changes.size(), 1U);
    CHECK_EQUAL(story->submissions[0].changes[0].reply, "restored from the evidence");
}

template <typename Place>
void what_the_journal_knows_stays() {
    Lost<Place> lost;
    Submission one = of(1, {"a@x.de-mail.de"});
    lost.journal->begin(hand_over(1), one);
    lost.kept.begin(one, one.created);
    one = ended(one, State::accepted, accepted_reply, "<1@fp>");
    lost.journal->settle(one, one.created + 1);
    CHECK_EQUAL(lost.rebuilt().restored, 0U);
    CHECK(lost.only(1).state == State::accepted);
    lost.kept.attempt(ended(of(2, {"a@x.de-mail.de"}), State::accepted, accepted_reply), created);
    CHECK_EQUAL(lost.rebuilt().restored, 1U);
    CHECK_EQUAL(lost.rebuilt().restored, 0U);
    CHECK_EQUAL(lost.journal->history().story(nonce(2), "")->submissions[0].changes.size(), 1U);
}

template <typename Place>
void an_old_copy_catches_up() {
    Lost<Place> lost;
    Submission one = of(1, {"a@x.de-mail.de", "b@x.de-mail.de"});
    lost.journal->begin(hand_over(1), one);
    lost.journal->settle(ended(one, State::deferred, deferred_reply), one.created + 1000);
    one = ended(one, State::accepted, accepted_reply, "<1@fp>");
    one.recipients[1].outcome = refused_reply;
    lost.kept.attempt(one, one.created + 60'000'000);
    CHECK_EQUAL(lost.rebuilt().restored, 1U);
    CHECK(lost.only(1).state == State::accepted);
    CHECK_EQUAL(lost.only(1).message_id, "<1@fp>");
    CHECK_EQUAL(lost.only(1).recipients[1].outcome->enhanced, "5.1.1");
}

template <typename Place>
void a_recipient_belongs_to_one_submission_whatever_is_read_first() {
    Lost<Place> lost;
    // Deferred with both; of the attempt without the second the journal alone knew.
    lost.kept.attempt(
        ended(of(1, {"a@x.de-mail.de", "b@x.de-mail.de"}), State::deferred, deferred_reply),
        created);
    Submission other = of(1, {"b@x.de-mail.de"}, "visible/2");
    other.created = created + 60'000'000;
    lost.kept.attempt(ended(other, State::accepted, accepted_reply), other.created);
    lost.rebuilt();
    const auto found = lost.journal->of_hand_over(nonce(1));
    CHECK_EQUAL(found.size(), 2U);
    CHECK_EQUAL(found[0].recipients.size(), 1U);
    CHECK_EQUAL(found[0].recipients[0].recipient.address.str(), "a@x.de-mail.de");
    CHECK(found[1].state == State::accepted);
    CHECK_EQUAL(found[1].recipients[0].recipient.address.str(), "b@x.de-mail.de");
}

template <typename Place>
void lines_that_cannot_be_read_make_it_uncertain() {
    Lost<Place> lost;
    const Submission one = ended(of(1, {"a@x.de-mail.de"}), State::deferred, deferred_reply);
    lost.kept.attempt(one, created);
    std::ofstream(lost.kept.place(one) + "/attempts.jsonl", std::ios::app) << R"({"at":"2026)";
    CHECK_EQUAL(lost.rebuilt().restored, 1U);
    CHECK(lost.only(1).state == State::uncertain);
}

template <typename Place>
void what_is_no_evidence_is_passed_over() {
    namespace fs = std::filesystem;
    Lost<Place> lost;
    const Submission one = ended(of(1, {"a@x.de-mail.de"}), State::accepted, accepted_reply);
    lost.kept.attempt(one, created);
    // Moved to another name, behind links, under other names.
    const std::string month = lost.kept.root() + "/2026/11/",
                      elsewhere = lost.kept.directory.path() + "/aside";
    fs::rename(lost.kept.place(one), elsewhere);
    fs::create_directory_symlink(elsewhere, lost.kept.place(one));
    fs::create_directory(month + std::string(40, 'a'));
    fs::copy(elsewhere, month + std::string(40, 'a'));
    fs::create_directory(month + std::string(40, 'b'));
    fs::create_symlink(elsewhere + "/attempts.jsonl",
                       month + std::string(40, 'b') + "/attempts.jsonl");
    CHECK_EQUAL(::mkfifo((month + std::string(40, 'c')).c_str(), 0600), 0);
    fs::create_directory(month + std::string(40, 'd'));
    CHECK_EQUAL(::mkfifo((month + std::string(40, 'd') + "/attempts.jsonl").c_str(), 0600), 0);
    fs::copy(elsewhere, month + "lost+found");
    fs::copy(elsewhere, lost.kept.root() + "/2026/backup");
    const Rebuilt done = lost.rebuilt();
    CHECK_EQUAL(done.restored, 0U);
    CHECK_EQUAL(done.unreadable, 1U); // the one that tells of another
    CHECK(!lost.journal->content_of(nonce(1)));
}

template <typename Place>
void evidence_that_cannot_be_read_stops_it() {
    Lost<Place> lost;
    std::filesystem::remove_all(lost.kept.root());
    CHECK_THROWS(lost.rebuilt(), Unavailable);
}

template <typename Place>
void a_new_journal_learns_what_is_there_before_it_is_used() {
    Lost<Place> lost;
    const Submission one = of(1, {"a@x.de-mail.de"});
    lost.kept.begin(one, created);
    Belonging belonging(*lost.journal, [] { return created * 2; });
    belonging.ensure(lost.kept.root());
    CHECK(lost.only(1).state == State::uncertain);
    CHECK(lost.belongs());
    // Once: what comes later is the journal's own affair.
    lost.kept.begin(of(2, {"a@x.de-mail.de"}), created);
    lost.reopen();
    Belonging(*lost.journal, [] { return created * 2; }).ensure(lost.kept.root());
    CHECK(!lost.journal->content_of(nonce(2)));
}

template <typename Place>
void a_rebuild_that_failed_is_done_again() {
    Lost<Place> lost;
    lost.kept.begin(of(1, {"a@x.de-mail.de"}), created);
    Belonging belonging(*lost.journal, [] { return created * 2; });
    const std::string aside = lost.kept.directory.path() + "/aside";
    std::filesystem::rename(lost.kept.root(), aside);
    CHECK_THROWS(belonging.ensure(lost.kept.root()), Unavailable);
    std::filesystem::rename(aside, lost.kept.root());
    CHECK(!lost.belongs());
    belonging.ensure(lost.kept.root());
    CHECK(lost.belongs());
    CHECK(lost.only(1).state == State::uncertain);
}

template <typename Place>
void a_journal_that_took_the_place_of_another_begins_nothing() {
    Lost<Place> lost;
    lost.journal->hold_to("another one");
    CHECK_THROWS(lost.journal->begin(hand_over(1), of(1, {"a@x.de-mail.de"})), Unavailable);
    CHECK(!lost.journal->content_of(nonce(1)));
    lost.journal->hold_to(lost.journal->identity());
    lost.journal->begin(hand_over(1), of(1, {"a@x.de-mail.de"}));
}

template <typename Place>
void each_journal_is_another_one() {
    Store<Place> one, other;
    CHECK_EQUAL(one.journal->identity().size(), 32U);
    CHECK(one.journal->identity() != other.journal->identity());
    const std::string before = one.journal->identity();
    one.reopen();
    CHECK_EQUAL(one.journal->identity(), before);
}

/// The database is dropped and made anew under a relay that runs.
void a_postgresql_that_comes_back_empty_is_told_first() {
    Lost<Postgresql> lost;
    const Submission one = of(1, {"a@x.de-mail.de"});
    Belonging belonging(*lost.journal, [] { return created * 2; });
    belonging.ensure(lost.kept.root());
    lost.journal->begin(hand_over(1), one);
    lost.kept.begin(one, created);
    lost.sql("drop schema public cascade; create schema public");
    // The connection that it had needs tables that are gone, and is given up.
    CHECK_THROWS(lost.journal->begin(hand_over(2), of(2, {"a@x.de-mail.de"})), Unavailable);
    CHECK_THROWS(lost.journal->begin(hand_over(2), of(2, {"a@x.de-mail.de"})), Unavailable);
    belonging.ensure(lost.kept.root());
    CHECK(lost.only(1).state == State::uncertain);
    lost.journal->begin(hand_over(2), of(2, {"a@x.de-mail.de"}));
}

void two_hosts_bring_in_their_own() {
    const Postgresql place;
    HostsEvidence of_a, of_b;
    const auto a = Journal::open(place.url, "host-a"), b = Journal::open(place.url, "host-b");
    of_a.attempt(ended(of(1, {"a@x.de-mail.de"}), State::accepted, accepted_reply), created);
    of_b.attempt(ended(of(2, {"a@x.de-mail.de"}), State::accepted, accepted_reply), created);
    Belonging(*a, [] { return created * 2; }).ensure(of_a.root());
    CHECK(!a->content_of(nonce(2)));
    Belonging(*b, [] { return created * 2; }).ensure(of_b.root());
    CHECK_EQUAL(a->counts(0)[State::accepted], 2);
}

template <typename Place>
std::vector<Case> cases() {
    return {
        TEST(each_state_comes_back_as_it_was_known<Place>),
        TEST(what_the_journal_knows_stays<Place>),
        TEST(an_old_copy_catches_up<Place>),
        TEST(a_recipient_belongs_to_one_submission_whatever_is_read_first<Place>),
        TEST(lines_that_cannot_be_read_make_it_uncertain<Place>),
        TEST(what_is_no_evidence_is_passed_over<Place>),
        TEST(evidence_that_cannot_be_read_stops_it<Place>),
        TEST(a_new_journal_learns_what_is_there_before_it_is_used<Place>),
        TEST(a_rebuild_that_failed_is_done_again<Place>),
        TEST(a_journal_that_took_the_place_of_another_begins_nothing<Place>),
        TEST(each_journal_is_another_one<Place>),
    };
}

} // namespace

int main() {
    const int in_sqlite = run("rebuilding the journal in SQLite", cases<Sqlite>());
    if (!PostgresqlServer::installed()) {
        std::puts("PostgreSQL is not installed: not tested in it");
        return in_sqlite;
    }
    auto all = cases<Postgresql>();
    all.push_back(TEST(a_postgresql_that_comes_back_empty_is_told_first));
    all.push_back(TEST(two_hosts_bring_in_their_own));
    return in_sqlite + run("rebuilding the journal in PostgreSQL", all);
}
