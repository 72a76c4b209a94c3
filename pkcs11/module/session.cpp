#include "module/session.hpp"

namespace demail::module {
namespace {

/// Against a caller that never closes any.
constexpr std::size_t most_sessions = 16 * 1024;

} // namespace

CK_SESSION_HANDLE Sessions::open(CK_SLOT_ID slot, CK_FLAGS flags) {
    const std::lock_guard lock(mutex_);
    require(sessions_.size() < most_sessions, CKR_SESSION_COUNT);
    sessions_.emplace(++last_, std::make_shared<Session>(slot, flags));
    return last_;
}

std::size_t Sessions::close(CK_SESSION_HANDLE handle) {
    const std::lock_guard lock(mutex_);
    const auto found = sessions_.find(handle);
    require(found != sessions_.end(), CKR_SESSION_HANDLE_INVALID);
    const CK_SLOT_ID slot = found->second->slot;
    sessions_.erase(found);
    return count_locked(slot).all;
}

void Sessions::close_all(CK_SLOT_ID slot) {
    const std::lock_guard lock(mutex_);
    std::erase_if(sessions_, [&](const auto &entry) { return entry.second->slot == slot; });
}

std::shared_ptr<Session> Sessions::find(CK_SESSION_HANDLE handle) const {
    const std::lock_guard lock(mutex_);
    const auto found = sessions_.find(handle);
    require(found != sessions_.end(), CKR_SESSION_HANDLE_INVALID);
    return found->second;
}

LockedSession Sessions::lock(CK_SESSION_HANDLE handle) const {
    return LockedSession(find(handle));
}

CK_SLOT_ID Sessions::slot_of(CK_SESSION_HANDLE handle) const {
    return find(handle)->slot;
}

Sessions::Count Sessions::count(CK_SLOT_ID slot) const {
    const std::lock_guard lock(mutex_);
    return count_locked(slot);
}

Sessions::Count Sessions::count_locked(CK_SLOT_ID slot) const {
    Count count;
    for (const auto &[handle, session] : sessions_) {
        if (session->slot != slot) continue;
        ++count.all;
        if ((session->flags & CKF_RW_SESSION) != 0) ++count.read_write;
    }
    return count;
}

} // namespace demail::module
