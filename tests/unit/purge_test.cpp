// Evidence that is kept no longer: its content goes, purged.json stays; what is open or does not
// tell what it is stays whole; a purge that was cut off is completed.
#include "base/digest.hpp"
#include "check.hpp"
#include "journal/evidence.hpp"
#include "journal/purge.hpp"
#include "temporary_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

using namespace demail;
using namespace demail::journal;
namespace fs = std::filesystem;

namespace {

const SealKey key("k1", std::string(32, 'k'));
constexpr Time created = 1'796'000'000'000'000; // 2026-11-30
constexpr Time day = 86'400'000'000;

struct Tree {
    test::TemporaryDirectory directory;
    Evidence evidence{directory.path() + "/evidence"};
    Fd mail{::open(directory.path().c_str(), O_TMPFILE | O_RDWR, 0600)};
    std::vector<Purged> told;

    Tree() {
        if (::write(mail.get(), "x\r\n\r\n", 5) != 5) throw std::runtime_error("write");
    }
    /// Its directory.
    std::string add(unsigned char n, State state, Time not_before = 0,
                    const std::string &account = "firm") {
        Submission one;
        one.n[0] = n;
        one.private_id = PrivateId::make(key, one.n, "visible", "");
        one.account = account;
        one.created = created;
        one.recipients.push_back(
            {{*Address::parse("a@x.de-mail.de"), RecipientField::to}, std::nullopt});
        const HandOver hand_over{one.n, "c0ffee", account, *Address::parse("a@firm.de-mail.de"),
                                 "",    "",       created};
        EvidenceRecord record(evidence.root(), one);
        record.begin(hand_over, one, {mail.get(), 0, 5}, "y\r\n\r\n", {}, created);
        record.sending("<request/>");
        one.state = state;
        one.not_before = not_before;
        if (state != State::submitting) record.end(one, "", created + 1'000'000);
        return record.directory();
    }
    /// As the evidence of a host that only asked what became of another host's submission.
    std::string look_up(unsigned char n, State state) {
        Submission one;
        one.n[0] = n;
        one.private_id = PrivateId::make(key, one.n, "visible", "");
        one.account = "other";
        one.created = created;
        EvidenceRecord record(evidence.root(), one);
        record.sending("<request/>");
        record.answered("<reply/>");
        one.state = state;
        record.end(one, "", created + 1'000'000);
        return record.directory();
    }
    PurgeSum purge(Time now, bool dry_run = false, const std::string &account = "") {
        told.clear();
        Purge wish;
        wish.latest = now - 30 * day;
        wish.ended_before = [&](const std::string &of) {
            return now - (of == "other" ? 60 : 30) * day;
        };
        wish.account = account;
        wish.dry_run = dry_run;
        wish.reason = "the time is over";
        wish.by = 7;
        wish.now = now;
        return journal::purge(evidence.root(), wish,
                              [&](const Purged &one) { told.push_back(one); });
    }
};

std::string text_of(const std::string &path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::size_t files_in(const std::string &directory) {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

std::optional<Time> purged(const std::string &path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY));
    return purged_at({path, path.substr(path.rfind('/') + 1), fd.get()});
}

void what_is_final_and_old_leaves_its_name_its_hashes_and_the_reason() {
    Tree tree;
    const std::string place = tree.add(1, State::accepted);
    const std::string lines = text_of(place + "/attempts.jsonl");
    const Time now = created + 31 * day;
    CHECK(!purged(place));
    const PurgeSum sum = tree.purge(now);
    CHECK_EQUAL(sum.purged, 1U);
    CHECK_EQUAL(files_in(place), 1U);
    const auto left = nlohmann::json::parse(text_of(place + "/purged.json"));
    CHECK_EQUAL(left.at("privateId").get<std::string>(), "g1-" + place.substr(place.size() - 40));
    CHECK_EQUAL(left.at("account").get<std::string>(), "firm");
    CHECK_EQUAL(left.at("state").get<std::string>(), "accepted");
    CHECK_EQUAL(left.at("reason").get<std::string>(), "the time is over");
    CHECK_EQUAL(left.at("by").get<int>(), 7);
    CHECK_EQUAL(left.at("ended").get<std::string>().substr(0, 11), "2026-11-30T");
    CHECK_EQUAL(left.at("files").size(), 4U);
    CHECK_EQUAL(left.at("files")[0].at("name").get<std::string>(), "attempts.jsonl");
    CHECK_EQUAL(left.at("files")[0].at("size").get<std::size_t>(), lines.size());
    CHECK_EQUAL(left.at("files")[0].at("sha256").get<std::string>(), hex(view(sha256(lines))));
    CHECK_EQUAL(*purged(place), now);
    CHECK_EQUAL(tree.told.at(0).files, 4U);
    CHECK_EQUAL(tree.purge(now).purged, 0U);
}

void only_what_is_final_goes() {
    Tree tree;
    const std::vector<std::string> gone{tree.add(1, State::accepted), tree.add(2, State::refused),
                                        tree.add(3, State::abandoned, never_again)};
    const std::vector<std::string> stays{
        tree.add(4, State::submitting), tree.add(5, State::uncertain), tree.add(6, State::deferred),
        tree.add(7, State::abandoned)};
    const PurgeSum sum = tree.purge(created + 31 * day);
    CHECK_EQUAL(sum.purged, 3U);
    CHECK_EQUAL(sum.open, 4U);
    for (const std::string &place : gone)
        CHECK_EQUAL(files_in(place), 1U);
    for (const std::string &place : stays)
        CHECK_EQUAL(files_in(place), 4U);
}

void each_account_has_its_own_time() {
    Tree tree;
    const std::string one = tree.add(1, State::accepted),
                      other = tree.add(2, State::accepted, 0, "other");
    CHECK_EQUAL(tree.purge(created + 29 * day).purged, 0U);
    CHECK_EQUAL(tree.purge(created + 31 * day, false, "other").purged, 0U);
    CHECK_EQUAL(tree.purge(created + 31 * day).purged, 1U);
    CHECK_EQUAL(files_in(other), 4U);
    CHECK_EQUAL(tree.purge(created + 61 * day).purged, 1U);
    CHECK_EQUAL(files_in(one) + files_in(other), 2U);
}

void what_another_host_began_goes_by_its_last_outcome() {
    Tree tree;
    const std::string found = tree.look_up(1, State::accepted),
                      open = tree.look_up(2, State::uncertain);
    CHECK_EQUAL(tree.purge(created + 59 * day).purged, 0U);
    const PurgeSum sum = tree.purge(created + 61 * day, false, "other");
    CHECK_EQUAL(sum.purged, 1U);
    CHECK_EQUAL(sum.open, 1U);
    CHECK_EQUAL(sum.unreadable, 0U);
    CHECK_EQUAL(tree.told.at(0).private_id, "g1-" + found.substr(found.size() - 40));
    CHECK_EQUAL(files_in(found), 1U);
    CHECK_EQUAL(files_in(open), 3U);
}

void a_dry_run_changes_nothing() {
    Tree tree;
    const std::string place = tree.add(1, State::accepted);
    CHECK_EQUAL(tree.purge(created + 31 * day, true).purged, 1U);
    CHECK_EQUAL(tree.told.at(0).files, 4U);
    CHECK_EQUAL(files_in(place), 4U);
    CHECK(!purged(place));
}

void what_does_not_tell_what_it_is_stays() {
    Tree tree;
    const std::string damaged = tree.add(1, State::accepted), linked = tree.add(2, State::accepted),
                      nested = tree.add(3, State::accepted);
    std::ofstream(damaged + "/attempts.jsonl", std::ios::trunc) << "{\n";
    const std::string outside = tree.directory.path() + "/outside";
    std::ofstream(outside) << "x";
    fs::create_symlink(outside, linked + "/more.eml");
    fs::create_directory(nested + "/confirmations");
    const PurgeSum sum = tree.purge(created + 31 * day);
    CHECK_EQUAL(sum.purged, 0U);
    CHECK_EQUAL(sum.unreadable, 3U);
    CHECK_EQUAL(files_in(damaged), 4U);
    CHECK_EQUAL(files_in(linked), 5U);
    CHECK_EQUAL(files_in(nested), 5U);
    CHECK(fs::exists(outside));
}

/// Cut off once purged.json was there, and after some files had gone.
void a_purge_that_was_cut_off_is_completed() {
    Tree tree;
    const std::string place = tree.add(1, State::accepted);
    const std::string aside = tree.directory.path() + "/aside";
    fs::copy(place, aside);
    (void)tree.purge(created + 31 * day);
    const std::string left = text_of(place + "/purged.json");
    fs::copy(aside + "/attempts.jsonl", place + "/attempts.jsonl");
    fs::copy(aside + "/received.eml", place + "/received.eml");
    CHECK_EQUAL(tree.purge(created + 32 * day, true).purged, 1U);
    CHECK_EQUAL(files_in(place), 3U);
    CHECK_EQUAL(tree.purge(created + 32 * day).purged, 1U);
    CHECK_EQUAL(files_in(place), 1U);
    CHECK_EQUAL(text_of(place + "/purged.json"), left);
    // What it does not name is not known to be old.
    std::ofstream(place + "/reply-9.xml") << "x";
    CHECK_EQUAL(tree.purge(created + 32 * day).unreadable, 1U);
    CHECK(fs::exists(place + "/reply-9.xml"));
}

void one_message_s_other_submissions_keep_it() {
    Tree tree;
    const std::string one = tree.add(1, State::accepted), other = tree.add(2, State::uncertain);
    struct stat before {
    }, after{};
    CHECK_EQUAL(::stat((one + "/received.eml").c_str(), &before), 0);
    CHECK_EQUAL(before.st_nlink, 2U);
    (void)tree.purge(created + 31 * day);
    CHECK_EQUAL(::stat((other + "/received.eml").c_str(), &after), 0);
    CHECK_EQUAL(after.st_ino, before.st_ino);
    CHECK_EQUAL(text_of(other + "/received.eml"), "x\r\n\r\n");
}

} // namespace

int main() {
    return test::run("purge",
                     {
                         TEST(what_is_final_and_old_leaves_its_name_its_hashes_and_the_reason),
                         TEST(only_what_is_final_goes),
                         TEST(each_account_has_its_own_time),
                         TEST(what_another_host_began_goes_by_its_last_outcome),
                         TEST(a_dry_run_changes_nothing),
                         TEST(what_does_not_tell_what_it_is_stays),
                         TEST(a_purge_that_was_cut_off_is_completed),
                         TEST(one_message_s_other_submissions_keep_it),
                     });
}
