// demailctl evidence: bring it back into the journal, take it out, remove what is kept no longer.
#pragma once

#include "admin/configuration.hpp"

#include <string>

namespace demail::ctl {

struct EvidenceWords {
    std::string id, directory; ///< of export
    std::string account;       ///< of purge; "" for all
    bool dry_run = false;
};

/// Exit codes of all: 0; 1 where it is refused, or something could not be told; 64 a word that is
/// none; 69 where files or journal cannot be used.

/// Tells the journal what it does not know, while no relay runs.
[[nodiscard]] int rebuild_journal(const Configuration &configuration, bool json);
/// Removes the content of what ended longer ago than the configuration keeps it. On record.
[[nodiscard]] int purge_evidence(const Configuration &configuration, const EvidenceWords &words,
                                 bool json);
/// Copies one submission's files to a new directory. On record.
[[nodiscard]] int export_evidence(const Configuration &configuration, const EvidenceWords &words,
                                  bool json);

/// Who is at it, for the record: of a session that became root the user who logged in.
[[nodiscard]] unsigned acting_user();
/// Tells why nothing was done; `code`.
[[nodiscard]] int evidence_refusal(const std::string &sentence, bool json, int code);

} // namespace demail::ctl
