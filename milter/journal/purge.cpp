#include "journal/purge.hpp"

#include "base/digest.hpp"
#include "base/instant.hpp"
#include "base/log.hpp"
#include "journal/evidence_file.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>

namespace demail::journal {

namespace {

using nlohmann::ordered_json;
using namespace std::chrono;

constexpr const char *left_name = "purged.json", *lines_name = "attempts.jsonl";
constexpr std::size_t longest_left = 16U << 20;

[[noreturn]] void fail(const EvidenceDirectory &directory, const std::string &name) {
    throw Unavailable(fmt::format("the evidence cannot be purged: {}/{}: {}", directory.path, name,
                                  std::strerror(errno)));
}

std::string text_of(Time at) {
    return write_instant(floor<milliseconds>(sys_time<microseconds>(microseconds(at))));
}

std::string year_and_month(Time at) {
    return text_of(at).substr(0, 4) + "/" + text_of(at).substr(5, 2);
}

/// What there is to know of a directory before its content may go.
struct Ended {
    std::string account;
    State state;
    Time created, at, not_before;

    [[nodiscard]] bool is_final() const noexcept {
        return state == State::accepted || state == State::refused ||
               (state == State::abandoned && not_before == never_again);
    }
};

/// nullopt where its lines do not tell.
std::optional<Ended> ended_by(const EvidenceDirectory &directory) {
    const auto lines = lines_of(directory);
    if (!lines) return std::nullopt;
    if (lines->told()) {
        const Submission &one = lines->told()->submission;
        if (one.private_id.digits() != directory.digits) return std::nullopt;
        return Ended{one.account, one.state, one.created, one.changed, one.not_before};
    }
    if (!lines->looked_up()) return std::nullopt;
    const LookedUp &one = *lines->looked_up();
    return Ended{one.account, one.state, one.at, one.at, one.not_before};
}

/// Calls `take` with each piece of the file.
template <typename Take>
void read_all(const EvidenceDirectory &directory, const std::string &name, int file, Take take) {
    std::string buffer(256 * 1024, '\0');
    for (;;) {
        const ssize_t got = ::read(file, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail(directory, name);
        if (got == 0) return;
        take(std::string_view(buffer.data(), static_cast<std::size_t>(got)));
    }
}

/// What purged.json says of each file; nullopt where one of them is none.
std::optional<ordered_json> described(const EvidenceDirectory &directory,
                                      const std::vector<std::string> &names, bool with_digest) {
    ordered_json files = ordered_json::array();
    for (const std::string &name : names) {
        const Fd file = open_file(directory, name);
        if (!file) return std::nullopt;
        struct stat status {};
        if (::fstat(file.get(), &status) != 0) fail(directory, name);
        ordered_json one{{"name", name}, {"size", status.st_size}};
        if (with_digest) {
            Sha256 digest;
            read_all(directory, name, file.get(),
                     [&](std::string_view bytes) { digest.update(bytes); });
            one["sha256"] = hex(view(digest.finish()));
        }
        files.push_back(std::move(one));
    }
    return files;
}

/// What purged.json holds; null where there is none.
ordered_json left_in(const EvidenceDirectory &directory) {
    const Fd file = open_file(directory, left_name);
    if (!file) return {};
    std::string text;
    read_all(directory, left_name, file.get(), [&](std::string_view bytes) {
        text += bytes;
        if (text.size() > longest_left)
            throw Unavailable(directory.path + "/purged.json is too long");
    });
    auto left = ordered_json::parse(text, nullptr, false);
    if (!left.is_object() || !left.value("files", ordered_json()).is_array())
        throw Unavailable(directory.path + "/purged.json cannot be read");
    return left;
}

void sync(const EvidenceDirectory &directory) {
    if (::fsync(directory.fd) != 0) fail(directory, "");
}

void remove(const EvidenceDirectory &directory, const std::string &name) {
    if (::unlinkat(directory.fd, name.c_str(), 0) != 0 && errno != ENOENT) fail(directory, name);
}

/// The files that purged.json, which is on disk, names.
void remove_content(const EvidenceDirectory &directory, const std::vector<std::string> &names) {
    for (const std::string &name : names)
        if (name != lines_name) remove(directory, name);
    sync(directory);
    remove(directory, lines_name);
    sync(directory);
}

void log_unreadable(const EvidenceDirectory &directory) {
    log::event(log::Level::warning, "evidence",
               {{"reason", directory.path + " is kept: it does not tell what it is"}});
}

/// One walk.
class Purging {
  public:
    Purging(const Purge &wish, const std::function<void(const Purged &)> &tell)
        : wish_(wish), tell_(tell) {}

    void visit(const EvidenceDirectory &directory) {
        std::vector<std::string> names = entries_of(directory.fd, directory.path);
        const auto left = std::find(names.begin(), names.end(), left_name);
        if (left != names.end()) {
            names.erase(left);
            if (!names.empty()) complete(directory, names);
            return;
        }
        const auto one = ended_by(directory);
        if (!one) {
            if (names.empty()) return;
            ++sum_.unreadable;
            return log_unreadable(directory);
        }
        if (!wish_.account.empty() && one->account != wish_.account) return;
        if (one->at >= wish_.ended_before(one->account)) return;
        if (one->is_final())
            remove_one(directory, names, *one);
        else
            ++sum_.open;
    }

    [[nodiscard]] const PurgeSum &sum() const noexcept { return sum_; }

  private:
    void remove_one(const EvidenceDirectory &directory, const std::vector<std::string> &names,
                    const Ended &ended) {
        auto files = described(directory, names, !wish_.dry_run);
        if (!files) {
            ++sum_.unreadable;
            return log_unreadable(directory);
        }
        Purged done{"g1-" + directory.digits,
                    ended.account,
                    std::string(name(ended.state)),
                    ended.at,
                    names.size(),
                    0};
        for (const ordered_json &one : *files)
            done.octets += one.at("size").get<std::uint64_t>();
        if (!wish_.dry_run) {
            const ordered_json left{
                {"privateId", done.private_id}, {"account", done.account},
                {"state", done.state},          {"created", text_of(ended.created)},
                {"ended", text_of(ended.at)},   {"purged", text_of(wish_.now)},
                {"reason", wish_.reason},       {"by", wish_.by},
                {"files", *std::move(files)}};
            const std::string text =
                left.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
            if (!put_file(directory.fd, left_name, text, {})) fail(directory, left_name);
            sync(directory);
            remove_content(directory, names);
        }
        count(done);
    }

    /// Only what purged.json names: what came later is not known to be old.
    void complete(const EvidenceDirectory &directory, const std::vector<std::string> &there) {
        const ordered_json left = left_in(directory);
        Purged done{left.value("privateId", ""),
                    left.value("account", ""),
                    left.value("state", ""),
                    0,
                    0,
                    0};
        if (!wish_.account.empty() && done.account != wish_.account) return;
        std::vector<std::string> names;
        for (const ordered_json &one : left.at("files"))
            if (std::find(there.begin(), there.end(), one.value("name", "")) != there.end()) {
                names.push_back(one.value("name", ""));
                done.octets += one.value("size", std::uint64_t{0});
            }
        if (names.size() < there.size()) {
            ++sum_.unreadable;
            log_unreadable(directory);
        }
        if (names.empty()) return;
        done.files = names.size();
        if (!wish_.dry_run) remove_content(directory, names);
        count(done);
    }

    void count(const Purged &done) {
        ++sum_.purged;
        sum_.octets += done.octets;
        tell_(done);
    }

    const Purge &wish_;
    const std::function<void(const Purged &)> &tell_;
    PurgeSum sum_;
};

} // namespace

PurgeSum purge(const std::string &evidence, const Purge &wish,
               const std::function<void(const Purged &)> &tell) {
    Purging purging(wish, tell);
    walk_evidence(evidence, year_and_month(std::max<Time>(wish.latest, 0)),
                  [&](const EvidenceDirectory &directory) { purging.visit(directory); });
    return purging.sum();
}

std::optional<Time> purged_at(const EvidenceDirectory &directory) {
    const ordered_json left = left_in(directory);
    if (left.is_null()) return std::nullopt;
    const auto at = read_instant(left.value("purged", ""));
    return at ? duration_cast<microseconds>(at->time_since_epoch()).count() : 0;
}

} // namespace demail::journal
