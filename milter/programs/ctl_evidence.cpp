#include "programs/ctl_evidence.hpp"

#include "base/file.hpp"
#include "base/log.hpp"
#include "daemon/exit.hpp"
#include "journal/belonging.hpp"
#include "journal/purge.hpp"
#include "programs/ctl_journal.hpp"
#include "programs/ctl_relay.hpp"
#include "programs/ctl_screen.hpp"
#include "programs/ctl_time.hpp"
#include "programs/history_time.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace demail::ctl {

using nlohmann::ordered_json;

namespace {

long long now_in_microseconds() {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::string dumped(const ordered_json &value) {
    return value.dump(2, ' ', true, ordered_json::error_handler_t::replace) + "\n";
}

int printed(const std::string &text, bool good) {
    return !print(text) ? exit_unavailable : good ? exit_good : exit_bad;
}

bool is_account(const Configuration &configuration, const std::string &name) {
    return std::any_of(configuration.accounts.begin(), configuration.accounts.end(),
                       [&](const AccountConfiguration &one) { return one.name == name; });
}

journal::Time end_of_retention(std::chrono::days kept, journal::Time now) {
    return now - std::chrono::microseconds(kept).count();
}

std::string purge_text(const ordered_json &answer, bool dry_run) {
    Table table({"ENDED", "STATE", "ACCOUNT", "PRIVATE-ID", "FILES", "OCTETS"});
    for (const ordered_json &one : answer["submissions"])
        table.add({one["ended"].is_null() ? std::string("cut off before")
                                          : local_time(read_time(one["ended"].get<std::string>())),
                   one["state"].get<std::string>(), one["account"].get<std::string>(),
                   one["privateId"].get<std::string>(), one["files"].dump(), one["octets"].dump()});
    const std::size_t count = answer["submissions"].size(),
                      unreadable = answer["unreadable"].get<std::size_t>();
    return (count == 0 ? "" : table.str(Screen::of(STDOUT_FILENO))) +
           fmt::format("{} submissions {}, {} octets; {} older ones are still open\n", count,
                       dry_run ? "would be purged" : "purged", answer["octets"].dump(),
                       answer["open"].dump()) +
           (unreadable == 0
                ? ""
                : fmt::format("{} directories do not tell what they are, and stay\n", unreadable));
}

} // namespace

unsigned acting_user() {
    constexpr unsigned nobody_logged_in = 4294967295U; // kernel, audit: unset
    unsigned uid = nobody_logged_in;
    try {
        const std::string text = read_file("/proc/self/loginuid", 64).value_or("");
        std::from_chars(text.data(), text.data() + text.size(), uid);
    } catch (const std::exception &) { // a kernel without audit
    }
    return uid == nobody_logged_in ? ::getuid() : uid;
}

int evidence_refusal(const std::string &sentence, bool json, int code) {
    if (json)
        print(dumped({{"error", sentence}}));
    else
        complain(sentence);
    return code;
}

int rebuild_journal(const Configuration &configuration, bool json) {
    if (ask_relay(configuration, {"status"}).kind != RelayAnswer::Kind::not_there)
        return evidence_refusal("stop the relay first: it would not see what is brought in", json,
                                exit_bad);
    log::open_record("demailctl");
    const unsigned user = acting_user();
    journal::Rebuilt done;
    try {
        const auto journal = open_journal_to_write(configuration);
        done = journal::rebuild(*journal, configuration.evidence, now_in_microseconds());
        journal::write_belonging(configuration.evidence, journal->identity());
    } catch (const std::runtime_error &error) {
        return evidence_refusal(error.what(), json, exit_unavailable);
    }
    log::event(log::Level::notice, "rebuilt",
               {{"count", std::to_string(done.restored)},
                {"known", std::to_string(done.known)},
                {"unreadable", std::to_string(done.unreadable)},
                {"uid", std::to_string(user)}});
    const ordered_json answer{
        {"restored", done.restored}, {"known", done.known}, {"unreadable", done.unreadable}};
    const std::string text = fmt::format("{} submissions brought in, {} were known, {} directories "
                                         "do not tell\n",
                                         done.restored, done.known, done.unreadable);
    return printed(json ? dumped(answer) : text, done.unreadable == 0);
}

int purge_evidence(const Configuration &configuration, const EvidenceWords &words, bool json) {
    if (!words.account.empty() && !is_account(configuration, words.account))
        return evidence_refusal("there is no account \"" + words.account + "\"", json, exit_usage);
    log::open_record("demailctl");
    const unsigned user = acting_user();
    const journal::Time now = now_in_microseconds();
    std::chrono::days shortest = configuration.retention;
    for (const AccountConfiguration &one : configuration.accounts)
        shortest = std::min(shortest, one.retention.value_or(shortest));
    journal::Purge wish;
    wish.ended_before = [&](const std::string &account) {
        return end_of_retention(retention_of(configuration, account), now);
    };
    wish.latest = end_of_retention(shortest, now);
    wish.account = words.account;
    wish.dry_run = words.dry_run;
    wish.reason = "kept as long as [retention] says";
    wish.by = user;
    wish.now = now;
    ordered_json answer{{"dryRun", words.dry_run}, {"submissions", ordered_json::array()}};
    try {
        become_keeper(configuration);
        const auto sum =
            journal::purge(configuration.evidence, wish, [&](const journal::Purged &one) {
                if (!words.dry_run)
                    log::event(log::Level::notice, "purged",
                               {{"private_id", one.private_id},
                                {"account", one.account},
                                {"state", one.state},
                                {"files", std::to_string(one.files)},
                                {"uid", std::to_string(user)}});
                answer["submissions"].push_back(
                    {{"privateId", one.private_id},
                     {"account", one.account},
                     {"state", one.state},
                     {"ended",
                      one.ended == 0 ? ordered_json() : ordered_json(write_time(one.ended))},
                     {"files", one.files},
                     {"octets", one.octets}});
            });
        answer["octets"] = sum.octets;
        answer["open"] = sum.open;
        answer["unreadable"] = sum.unreadable;
    } catch (const std::runtime_error &error) {
        return evidence_refusal(error.what(), json, exit_unavailable);
    }
    return printed(json ? dumped(answer) : purge_text(answer, words.dry_run),
                   answer["unreadable"] == 0);
}

} // namespace demail::ctl
