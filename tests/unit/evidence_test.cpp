// The evidence on a real file system: what was sent lies there byte for byte before it is sent,
// nothing is overwritten, and the journal's rows can be made from it.
#include "check.hpp"
#include "journal/evidence.hpp"
#include "journal/evidence_line.hpp"
#include "temporary_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

using namespace demail;
using namespace demail::journal;

namespace {

const SealKey key("k1", std::string(32, 'k'));
constexpr Time created = 1'796'000'000'123'456; // 2026-11-30

struct Letter {
    test::TemporaryDirectory directory;
    Evidence evidence{directory.path() + "/evidence"};
    Fd spooled{::open(directory.path().c_str(), O_TMPFILE | O_RDWR, 0600)};
    std::string text = "Subject: x\r\n\r\nHello\r\n";
    HandOver hand_over{{1},
                       "c0ffee",
                       "firm",
                       *Address::parse("anna@firm.de-mail.de"),
                       "anna@firm.example",
                       "<1@firm.example>",
                       1'000'000};
    Submission submission;

    Letter() {
        if (::write(spooled.get(), text.data(), text.size()) < 0) throw std::runtime_error("write");
        submission.private_id = PrivateId::make(key, hand_over.n, "visible", "file 7");
        submission.n = hand_over.n;
        submission.account = "firm";
        submission.queue_id = "4abc";
        submission.created = created;
        for (const char *one : {"a@x.de-mail.de", "b@x.de-mail.de"})
            submission.recipients.push_back(
                {{*Address::parse(one), RecipientField::to}, std::nullopt});
    }

    [[nodiscard]] std::string place() const {
        return evidence.root() + "/2026/11/" + std::string(submission.private_id.digits());
    }
    [[nodiscard]] std::string file(const std::string &name) const {
        std::ifstream in(place() + "/" + name, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    EvidenceRecord begun(std::string_view header = "Subject: y\r\n\r\n") {
        EvidenceRecord record(evidence.root(), submission);
        record.begin(hand_over, submission, {spooled.get(), 0, text.size()}, header,
                     {spooled.get(), 14, 7}, created);
        return record;
    }
    void accept() {
        submission.state = State::accepted;
        submission.outcome = {250, "2.0.0", "Accepted"};
        submission.message_id = "<1@fp>";
        submission.recipients[1].outcome = Reply{550, "5.1.1", "unknown"};
    }
    [[nodiscard]] std::optional<Kept> told() const {
        EvidenceReader reader;
        std::ifstream in(place() + "/attempts.jsonl", std::ios::binary);
        for (std::string line; std::getline(in, line);)
            reader.read(line);
        return reader.told();
    }
};

void what_goes_out_is_kept_before_and_what_comes_back_after() {
    Letter letter;
    auto record = letter.begun();
    record.sending("<request/>");
    CHECK_EQUAL(letter.file("received.eml"), letter.text);
    CHECK_EQUAL(letter.file("submitted.eml"), "Subject: y\r\n\r\nHello\r\n");
    CHECK_EQUAL(letter.file("request.xml"), "<request/>");
    record.answered("<reply/>");
    letter.accept();
    record.end(letter.submission, "<1@fp>", created + 1'000'000);
    CHECK_EQUAL(letter.file("reply.xml"), "<reply/>");
}

void all_of_it_is_the_owners_alone() {
    Letter letter;
    auto record = letter.begun();
    record.sending("<request/>");
    for (const auto &entry :
         std::filesystem::recursive_directory_iterator(letter.evidence.root())) {
        const bool directory = entry.is_directory();
        CHECK_EQUAL(static_cast<unsigned>(entry.status().permissions()), directory ? 0700U : 0600U);
    }
}

void the_message_is_not_copied_once_more() {
    Letter letter;
    auto record = letter.begun();
    struct stat spooled {
    }, received{};
    CHECK_EQUAL(::fstat(letter.spooled.get(), &spooled), 0);
    CHECK_EQUAL(::stat((letter.place() + "/received.eml").c_str(), &received), 0);
    CHECK_EQUAL(spooled.st_ino, received.st_ino);
}

void a_further_exchange_overwrites_nothing() {
    Letter letter;
    letter.begun().sending("<request/>");
    auto again = letter.begun();
    again.sending("<request again/>");
    again.answered("<reply again/>");
    auto other = letter.begun("Subject: z\r\n\r\n");
    other.sending("<third/>");
    CHECK_EQUAL(letter.file("request.xml"), "<request/>");
    CHECK_EQUAL(letter.file("request-2.xml"), "<request again/>");
    CHECK_EQUAL(letter.file("reply-2.xml"), "<reply again/>");
    CHECK_EQUAL(letter.file("request-3.xml"), "<third/>");
    CHECK_EQUAL(letter.file("submitted.eml"), "Subject: y\r\n\r\nHello\r\n");
    CHECK_EQUAL(letter.file("submitted-2.eml"), "Subject: z\r\n\r\nHello\r\n");
    CHECK(!std::filesystem::exists(letter.place() + "/submitted-3.eml"));
}

void a_question_that_libcurl_sends_again_is_kept_once() {
    Letter letter;
    EvidenceRecord record(letter.evidence.root(), letter.submission);
    record.sending("<find/>");
    record.sending("<find/>");
    CHECK(!std::filesystem::exists(letter.place() + "/request-2.xml"));
}

void the_journals_rows_can_be_made_from_the_lines() {
    Letter letter;
    auto record = letter.begun();
    record.sending("<request/>");
    auto told = letter.told();
    CHECK(told->submission.state == State::uncertain);
    letter.accept();
    record.end(letter.submission, "<1@fp>", created + 1'000'000);
    told = letter.told();
    CHECK(told->hand_over.n == letter.hand_over.n);
    CHECK_EQUAL(told->hand_over.content, "c0ffee");
    CHECK_EQUAL(told->hand_over.envelope_sender, "anna@firm.example");
    CHECK_EQUAL(told->hand_over.mail_id, "<1@firm.example>");
    CHECK_EQUAL(told->hand_over.seal_time, 1'000'000);
    CHECK_EQUAL(told->hand_over.sender.str(), "anna@firm.de-mail.de");
    CHECK(told->submission.private_id == letter.submission.private_id);
    CHECK(told->submission.state == State::accepted);
    CHECK_EQUAL(told->submission.message_id, "<1@fp>");
    CHECK_EQUAL(told->submission.queue_id, "4abc");
    CHECK_EQUAL(told->submission.outcome.text, "Accepted");
    CHECK_EQUAL(told->submission.created, created / 1000 * 1000);
    CHECK_EQUAL(told->submission.recipients.size(), 2U);
    CHECK(!told->submission.recipients[0].outcome);
    CHECK_EQUAL(told->submission.recipients[1].outcome->enhanced, "5.1.1");
}

void a_line_that_was_cut_off_counts_for_nothing() {
    Letter letter;
    letter.begun().sending("<request/>");
    std::ofstream(letter.place() + "/attempts.jsonl", std::ios::app)
        << R"({"at":"2026-11-30T00:00:00Z","act":"outcome","state":"acc)";
    CHECK(letter.told()->submission.state == State::uncertain);
    letter.accept();
    letter.begun().end(letter.submission, "", created);
    CHECK(letter.told()->submission.state == State::accepted);
}

void lines_that_are_none_are_passed_over() {
    EvidenceReader reader;
    for (const std::string &line :
         {std::string("{"), std::string("[]"), std::string(300000, '['), std::string("{\"act\":7}"),
          std::string(R"({"act":"outcome","state":"accepted"})"), std::string("\xff")})
        reader.read(line);
    CHECK(!reader.told());
}

void a_tree_that_others_may_enter_is_refused() {
    test::TemporaryDirectory directory;
    const std::string root = directory.path() + "/evidence";
    CHECK_EQUAL(::mkdir(root.c_str(), 0755), 0);
    CHECK_THROWS(Evidence{root}, Unavailable);
    CHECK_EQUAL(::chmod(root.c_str(), 0700), 0);
    (void)Evidence{root};
    CHECK_THROWS(Evidence{"/nowhere/evidence"}, Unavailable);
}

void a_disk_without_room_is_said_before() {
    Letter letter;
    letter.evidence.require_room(0);
    CHECK_THROWS(letter.evidence.require_room(1ULL << 60), Unavailable);
}

void what_cannot_be_written_is_said() {
    Letter letter;
    std::ofstream(letter.evidence.root() + "/2026") << "in the way";
    CHECK_THROWS((void)letter.begun(), Unavailable);
}

} // namespace

int main() {
    return test::run("evidence", {
                                     TEST(what_goes_out_is_kept_before_and_what_comes_back_after),
                                     TEST(all_of_it_is_the_owners_alone),
                                     TEST(the_message_is_not_copied_once_more),
                                     TEST(a_further_exchange_overwrites_nothing),
                                     TEST(a_question_that_libcurl_sends_again_is_kept_once),
                                     TEST(the_journals_rows_can_be_made_from_the_lines),
                                     TEST(a_line_that_was_cut_off_counts_for_nothing),
                                     TEST(lines_that_are_none_are_passed_over),
                                     TEST(a_tree_that_others_may_enter_is_refused),
                                     TEST(a_disk_without_room_is_said_before),
                                     TEST(what_cannot_be_written_is_said),
                                 });
}
