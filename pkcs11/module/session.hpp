// Sessions and what runs in them. Sessions are the module's own: nothing that happens to a card
// closes one.
#pragma once

#include "module/operation.hpp"
#include "module/refused.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace demail::module {

struct Search {
    std::vector<CK_OBJECT_HANDLE> found;
    std::size_t next = 0;
};

struct Session {
    Session(CK_SLOT_ID its_slot, CK_FLAGS its_flags) : slot(its_slot), flags(its_flags) {}

    const CK_SLOT_ID slot;
    const CK_FLAGS flags;
    std::mutex mutex; ///< held during a call
    // All under the mutex.
    std::optional<Search> search;
    std::optional<DigestOperation> digest;
    std::optional<SignOperation> sign;
    std::optional<VerifyOperation> verify;
    std::optional<DecryptOperation> decrypt;
};

/// A session that this call has for itself.
class LockedSession {
  public:
    explicit LockedSession(std::shared_ptr<Session> session)
        : session_(std::move(session)), lock_(session_->mutex) {}
    Session *operator->() const noexcept { return session_.get(); }

  private:
    std::shared_ptr<Session> session_;
    std::unique_lock<std::mutex> lock_;
};

/// Thread-safe.
class Sessions {
  public:
    [[nodiscard]] CK_SESSION_HANDLE open(CK_SLOT_ID slot, CK_FLAGS flags);
    /// How many are left in its slot.
    std::size_t close(CK_SESSION_HANDLE handle);
    void close_all(CK_SLOT_ID slot);

    /// These throw Refused{CKR_SESSION_HANDLE_INVALID}.
    [[nodiscard]] LockedSession lock(CK_SESSION_HANDLE handle) const;
    [[nodiscard]] CK_SLOT_ID slot_of(CK_SESSION_HANDLE handle) const;

    struct Count {
        std::size_t all = 0, read_write = 0;
    };
    [[nodiscard]] Count count(CK_SLOT_ID slot) const;

  private:
    [[nodiscard]] std::shared_ptr<Session> find(CK_SESSION_HANDLE handle) const;
    [[nodiscard]] Count count_locked(CK_SLOT_ID slot) const;

    mutable std::mutex mutex_;
    std::map<CK_SESSION_HANDLE, std::shared_ptr<Session>> sessions_; ///< under mutex_
    CK_SESSION_HANDLE last_ = 0;
};

} // namespace demail::module
