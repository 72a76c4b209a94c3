// The audit log: one line for each use of a key and each act on a PIN, each line chained to the one
// before by its hash. Counter and head also go to the journal, so that a log that was cut or
// written anew is seen. Lines hold no PIN and nothing of what is signed but a hash of its digest.
#pragma once

#include "base/digest.hpp"
#include "base/handle.hpp"

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace demail::broker {

struct AuditEntry {
    std::string
        act; ///< sign, decrypt, login, unlock, lock, pin-set, pin-change, pin-unblock, verify
    unsigned uid = 0;
    int pid = 0;           ///< 0: the daemon itself
    std::string card, key; ///< serial; label, or the PIN's name
    std::string mechanism; ///< may be empty
    std::string input;     ///< what was signed: only its SHA-256 is written
    std::string result;    ///< ok, or the reason in a few words
};

/// Where the chain stands.
struct AuditHead {
    std::uint64_t lines = 0;
    Digest256 hash{}; ///< of the last line; zeros before the first
};

/// Thread-safe.
class AuditLog {
  public:
    /// Goes on where `directory`/audit.log ends. A last line without its end (a crash) is cut off
    /// and logged. Throws std::runtime_error where the file cannot be used or its end is no chain.
    explicit AuditLog(std::string directory);

    /// Written when it returns; on disk after the next sync(). Throws std::system_error, and then
    /// what was asked for must not be handed out.
    AuditHead append(const AuditEntry &entry);
    [[nodiscard]] AuditHead head() const;
    /// fdatasync where something was written since the last time.
    void sync();

  private:
    void open_file();
    void rotate();

    std::string directory_;
    mutable std::mutex mutex_;
    Fd file_;
    std::uint64_t bytes_ = 0;
    bool dirty_ = false;
    AuditHead head_;
};

/// What a look at a whole log found.
struct AuditCheck {
    bool good = false;
    AuditHead head;       ///< after the last good line
    std::string sentence; ///< what is wrong, and where
};

/// Reads the files of `directory`, oldest first. Throws std::runtime_error where they cannot be
/// read.
[[nodiscard]] AuditCheck check_audit(const std::string &directory);
/// The same for texts, for tests; `from` is where the first line has to follow.
[[nodiscard]] AuditCheck check_audit_text(std::string_view text, AuditHead from);

} // namespace demail::broker
