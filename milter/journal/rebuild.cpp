#include "journal/rebuild.hpp"

#include "base/log.hpp"
#include "journal/evidence_tree.hpp"

#include <algorithm>

namespace demail::journal {

namespace {

/// In one transaction: a commit waits for the disk.
constexpr std::size_t at_once = 100;

/// What is left where the content was removed by purpose, or where nothing was ever sent.
bool tells_nothing(const EvidenceDirectory &directory) {
    const auto names = entries_of(directory.fd, directory.path);
    const auto has = [&](const char *name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    return has("purged.json") || !has("request.xml");
}

} // namespace

Rebuilt rebuild(Journal &journal, const std::string &evidence, Time now,
                const std::function<void(const Rebuilt &)> &alive) {
    Rebuilt done;
    std::vector<Kept> waiting;
    const auto restore = [&] {
        const std::size_t count = journal.restore(waiting, now);
        done.restored += count;
        done.known += waiting.size() - count;
        waiting.clear();
        if (alive) alive(done);
    };
    walk_evidence(evidence, "", [&](const EvidenceDirectory &directory) {
        if (auto told = told_by(directory)) {
            waiting.push_back(*std::move(told));
            if (waiting.size() == at_once) restore();
        } else if (!tells_nothing(directory)) {
            ++done.unreadable;
            log::event(log::Level::warning, "evidence",
                       {{"reason", "the lines of " + directory.path +
                                       " cannot be read: the journal does not learn from them"}});
        }
    });
    restore();
    return done;
}

} // namespace demail::journal
