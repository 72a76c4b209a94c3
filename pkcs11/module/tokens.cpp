#include "module/tokens.hpp"

#include <algorithm>

namespace demail::module {

Tokens::Slot *Tokens::find(CK_SLOT_ID slot) {
    const auto found =
        std::find_if(slots_.begin(), slots_.end(), [&](const Slot &one) { return one.id == slot; });
    return found == slots_.end() ? nullptr : &*found;
}

const Tokens::Slot *Tokens::find(CK_SLOT_ID slot) const {
    return const_cast<Tokens *>(this)->find(slot);
}

void Tokens::refresh() {
    auto list = daemon_.tokens();
    const std::lock_guard lock(mutex_);
    if (list) return accept(std::move(*list));
    for (Slot &slot : slots_)
        slot.token.present = false;
}

void Tokens::accept(wire::TokenList list) {
    generation_ = list.generation;
    for (Slot &slot : slots_)
        slot.token.present = false;
    for (wire::Token &token : list.tokens) {
        Slot &slot = place_for(token);
        slot.token = std::move(token);
    }
}

/// The daemon's number, unless this process knows another card by it.
Tokens::Slot &Tokens::place_for(const wire::Token &token) {
    for (Slot &slot : slots_)
        if (slot.token.serial == token.serial) return slot;
    Slot fresh;
    fresh.id = token.slot;
    while (find(fresh.id) != nullptr)
        ++fresh.id;
    fresh.token.serial = token.serial;
    return slots_.emplace_back(std::move(fresh));
}

std::vector<CK_SLOT_ID> Tokens::slots(bool with_token_only) const {
    const std::lock_guard lock(mutex_);
    std::vector<CK_SLOT_ID> ids;
    for (const Slot &slot : slots_)
        if (slot.token.present || !with_token_only) ids.push_back(slot.id);
    return ids;
}

wire::Token Tokens::token(CK_SLOT_ID slot) {
    {
        const std::lock_guard lock(mutex_);
        if (const Slot *known = find(slot)) return known->token;
    }
    refresh();
    const std::lock_guard lock(mutex_);
    const Slot *known = find(slot);
    require(known != nullptr, CKR_SLOT_ID_INVALID);
    return known->token;
}

bool Tokens::usable(CK_SLOT_ID slot) {
    expect(slot);
    const std::lock_guard lock(mutex_);
    const Slot &known = *find(slot);
    return known.token.present || known.read_at.has_value();
}

std::vector<ObjectPointer> Tokens::objects(CK_SLOT_ID slot) {
    refresh();
    const wire::Token token = this->token(slot);
    std::unique_lock lock(mutex_);
    if (find(slot)->read_at != generation_) {
        lock.unlock();
        const auto list = daemon_.objects(token.serial);
        lock.lock();
        if (list) accept(slot, *list);
    }
    const Slot &known = *find(slot);
    require(known.read_at.has_value(), CKR_DEVICE_ERROR);
    std::vector<ObjectPointer> visible;
    for (const ObjectPointer &object : known.objects)
        if (!object->is_private() || known.logged_in) visible.push_back(object);
    return visible;
}

void Tokens::accept(CK_SLOT_ID slot, const wire::ObjectList &list) {
    Slot &known = *find(slot);
    known.read_at = list.generation;
    known.objects.clear();
    for (Object &object : objects_of(crypto_, list)) {
        CK_OBJECT_HANDLE &handle = handles_[known.token.serial + '/' + object.identity];
        if (handle == CK_INVALID_HANDLE) handle = ++last_handle_;
        object.handle = handle;
        known.objects.push_back(std::make_shared<const Object>(std::move(object)));
    }
}

ObjectPointer Tokens::object(CK_SLOT_ID slot, CK_OBJECT_HANDLE handle, CK_RV otherwise) const {
    const std::lock_guard lock(mutex_);
    const Slot *known = find(slot);
    require(known != nullptr, CKR_SLOT_ID_INVALID);
    for (const ObjectPointer &object : known->objects)
        if (object->handle == handle && (!object->is_private() || known->logged_in)) return object;
    throw Refused{otherwise};
}

bool Tokens::logged_in(CK_SLOT_ID slot) const {
    const std::lock_guard lock(mutex_);
    const Slot *known = find(slot);
    return known != nullptr && known->logged_in;
}

void Tokens::set_logged_in(CK_SLOT_ID slot, bool logged_in) {
    const std::lock_guard lock(mutex_);
    if (Slot *known = find(slot)) known->logged_in = logged_in;
}

std::optional<CK_SLOT_ID> Tokens::take_event() {
    const std::lock_guard lock(mutex_);
    for (Slot &slot : slots_) {
        if (slot.seen_present == slot.token.present) continue;
        slot.seen_present = slot.token.present;
        return slot.id;
    }
    return std::nullopt;
}

void Tokens::acknowledge() {
    const std::lock_guard lock(mutex_);
    for (Slot &slot : slots_)
        slot.seen_present = slot.token.present;
}

std::uint64_t Tokens::generation() const {
    const std::lock_guard lock(mutex_);
    return generation_;
}

} // namespace demail::module
