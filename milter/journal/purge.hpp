// The end of evidence: what is kept no longer loses its content and leaves purged.json, which says
// what there was.
//
//     {"privateId": "g1-…", "account", "state", "created", "ended", "purged", "reason", "by": uid,
//      "files": [{"name", "size", "sha256"}, …]}
//
// purged.json is on disk before the first file goes, and attempts.jsonl goes last: a purge that was
// cut off is completed by the next one.
#pragma once

#include "journal/evidence_tree.hpp"

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>

namespace demail::journal {

struct Purge {
    /// An account's submissions go that ended before this.
    std::function<Time(const std::string &account)> ended_before;
    Time latest = 0;     ///< of all accounts: what began later is not looked at
    std::string account; ///< only of this one; "" for all
    bool dry_run = false;
    std::string reason; ///< for purged.json
    uid_t by = 0;
    Time now = 0;
};

/// One submission whose content has gone, or would go.
struct Purged {
    std::string private_id; ///< the "g1-…" part
    std::string account, state;
    Time ended = 0;
    std::size_t files = 0;
    std::uint64_t octets = 0;
};

struct PurgeSum {
    std::size_t purged = 0;
    std::uint64_t octets = 0;
    std::size_t open = 0;       ///< old enough to look at, but not final
    std::size_t unreadable = 0; ///< do not tell what they are, or hold what is no file; logged
};

/// Final is what was accepted, refused, or abandoned for good. Throws Unavailable.
PurgeSum purge(const std::string &evidence, const Purge &wish,
               const std::function<void(const Purged &)> &tell);

/// When the content was removed; nullopt where it was not. Throws Unavailable where purged.json
/// cannot be read.
[[nodiscard]] std::optional<Time> purged_at(const EvidenceDirectory &directory);

} // namespace demail::journal
