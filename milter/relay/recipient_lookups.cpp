#include "relay/recipient_lookups.hpp"

namespace demail::relay {

std::optional<soap::DirectoryEntry> RecipientLookups::known(const Address &recipient) {
    const std::lock_guard lock(mutex_);
    const auto found = kept_.find(recipient.lower());
    if (found == kept_.end()) return std::nullopt;
    if (found->second.until > clock_()) return found->second.entry;
    kept_.erase(found);
    return std::nullopt;
}

void RecipientLookups::remember(const Address &recipient, const soap::DirectoryEntry &entry) {
    if (!entry.exists) return;
    const std::lock_guard lock(mutex_);
    const auto now = clock_();
    if (kept_.size() >= most)
        std::erase_if(kept_, [&](auto &one) { return one.second.until <= now; });
    if (kept_.size() < most) kept_.insert_or_assign(recipient.lower(), Kept{entry, now + good_for});
}

void RecipientLookups::rest() {
    const std::lock_guard lock(mutex_);
    rests_until_ = clock_() + good_for;
}

bool RecipientLookups::resting() {
    const std::lock_guard lock(mutex_);
    return rests_until_ && clock_() < *rests_until_;
}

} // namespace demail::relay
