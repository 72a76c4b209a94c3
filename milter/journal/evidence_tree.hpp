// The evidence as a tree to walk through: what lies in it may have been copied, restored or
// tampered with, so no symbolic link is followed and nothing but the names of evidence.hpp is
// looked at. Thread-safe. Functions throw Unavailable with a sentence that names the file.
#pragma once

#include "base/handle.hpp"
#include "journal/evidence_line.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace demail::journal {

/// One submission's directory, open.
struct EvidenceDirectory {
    std::string path;
    std::string digits; ///< of the private-id
    int fd = -1;
};

/// Calls `visit` for each, the oldest month first. `upto`: "2026/11" and no later; "" for all.
void walk_evidence(const std::string &root, const std::string &upto,
                   const std::function<void(const EvidenceDirectory &)> &visit);

/// The names of a directory's entries, sorted.
[[nodiscard]] std::vector<std::string> entries_of(int directory, const std::string &path);

/// A regular file of the directory to read; none where there is none of that name, or something
/// else.
[[nodiscard]] Fd open_file(const EvidenceDirectory &directory, const std::string &name);

/// Of attempts.jsonl; what lies behind it is not read.
inline constexpr std::size_t most_evidence_octets = 64U << 20;

/// What attempts.jsonl says; nullopt where there is none.
[[nodiscard]] std::optional<EvidenceReader> lines_of(const EvidenceDirectory &directory);

/// What the lines tell of the submission that the directory is named after; nullopt where they are
/// missing, cannot be read or tell of another one.
[[nodiscard]] std::optional<Kept> told_by(const EvidenceDirectory &directory);

} // namespace demail::journal
