// What proves a submission, byte for byte: files in a directory of its own (contracts.md,
// "Evidence"). A journal that was lost is made anew from them.
//
//     EVIDENCE/2026/11/<40 hex digits of the private-id>/
//         received.eml     as Postfix brought it, the seal included
//         submitted.eml    the content that the provider was given
//         request.xml      the signed SOAP envelope, reply.xml what came back
//         attempts.jsonl   each attempt and what came of it, see evidence_line.hpp
//
// A further exchange adds request-2.xml, reply-2.xml and so on; nothing is ever overwritten. A file
// has no name before it is on disk.
#pragma once

#include "base/handle.hpp"
#include "journal/journal.hpp"

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace demail::journal {

/// Bytes of an open file. The descriptor is not owned.
struct FileRegion {
    int fd = -1;
    off_t offset = 0;
    std::uint64_t length = 0;
};

/// One submission's directory. Belongs to one thread at a time. Functions that are not noexcept
/// throw Unavailable, with a sentence that names the file.
class EvidenceRecord {
  public:
    /// `root`: the evidence's; the month is that of submission.created. Nothing is made yet.
    EvidenceRecord(const std::string &root, const Submission &submission);

    /// Before an attempt: the message as it was received, and its content as it is to be submitted,
    /// `header` and then `body`. Safe on disk only after sending().
    void begin(const HandOver &hand_over, const Submission &submission, const FileRegion &received,
               std::string_view header, const FileRegion &body, Time at);
    /// The request, before its first byte goes out. When this returns, it and all before it are on
    /// disk.
    void sending(std::string_view request);
    /// What came back. A fault is thrown by end().
    void answered(std::string_view reply) noexcept;
    /// What came of it; on disk when this returns.
    void end(const Submission &submission, std::string_view detail, Time at);

    [[nodiscard]] const std::string &directory() const noexcept { return path_; }

  private:
    void open_directory();
    void add_line(const std::string &line);
    void sync_lines();
    void sync_directories();

    const std::string root_, path_;
    std::size_t new_above_ = 0; ///< length of the part of path_ below which directories were made
    Fd directory_, lines_;
    std::string request_; ///< the one that went last, under the number
    std::string number_;  ///< "", "-2", …: of the last request
    std::string fault_;   ///< of answered()
    bool unsynced_ = false;
};

/// The tree. Thread-safe.
class Evidence {
  public:
    /// Makes the directory, 0700, where there is none. Throws Unavailable, also where others than
    /// its owner may enter it.
    explicit Evidence(std::string root);

    [[nodiscard]] const std::string &root() const noexcept { return root_; }
    /// Throws Unavailable where the file system has no room for `bytes` and what else comes.
    void require_room(std::uint64_t bytes) const;

  private:
    const std::string root_;
};

} // namespace demail::journal
