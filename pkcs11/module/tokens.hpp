// The slots: one for each card that the daemon has ever named to this process, in the place that it
// had first. Slots, objects and their handles stay when the card, pcscd or the daemon go away.
// Thread-safe.
#pragma once

#include "module/daemon.hpp"
#include "module/object.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace demail::module {

using ObjectPointer = std::shared_ptr<const Object>;

class Tokens {
  public:
    Tokens(Daemon &daemon, Crypto &crypto) : daemon_(daemon), crypto_(crypto) {}

    /// Asks the daemon anew; where it cannot be asked, every card counts as away.
    void refresh();

    [[nodiscard]] std::vector<CK_SLOT_ID> slots(bool with_token_only) const;
    /// These throw Refused{CKR_SLOT_ID_INVALID}; a slot not known yet is asked for once.
    [[nodiscard]] wire::Token token(CK_SLOT_ID slot);
    void expect(CK_SLOT_ID slot) { static_cast<void>(token(slot)); }
    /// Its card is there, or was and its objects are known: a session may outlive a removal, so it
    /// may begin during one.
    [[nodiscard]] bool usable(CK_SLOT_ID slot);

    /// All objects, private ones only after login; read anew when something has changed.
    [[nodiscard]] std::vector<ObjectPointer> objects(CK_SLOT_ID slot);
    /// As it was read last. Throws Refused{otherwise} where there is none, or none to be seen.
    [[nodiscard]] ObjectPointer object(CK_SLOT_ID slot, CK_OBJECT_HANDLE handle,
                                       CK_RV otherwise = CKR_OBJECT_HANDLE_INVALID) const;

    [[nodiscard]] bool logged_in(CK_SLOT_ID slot) const;
    void set_logged_in(CK_SLOT_ID slot, bool logged_in);

    /// A slot whose card came or went since the last call for it; nullopt: none.
    [[nodiscard]] std::optional<CK_SLOT_ID> take_event();
    /// The caller has seen how the slots stand.
    void acknowledge();
    [[nodiscard]] std::uint64_t generation() const;
    /// The caller has asked how many slots there are and not yet which.
    [[nodiscard]] bool counted() const noexcept { return counted_; }
    void set_counted(bool counted) noexcept { counted_ = counted; }

  private:
    struct Slot {
        CK_SLOT_ID id = 0;
        wire::Token token;
        bool logged_in = false;
        bool seen_present = false;
        std::optional<std::uint64_t> read_at; ///< generation of the objects
        std::vector<ObjectPointer> objects;
    };

    [[nodiscard]] Slot *find(CK_SLOT_ID slot);
    [[nodiscard]] const Slot *find(CK_SLOT_ID slot) const;
    void accept(wire::TokenList list);
    [[nodiscard]] Slot &place_for(const wire::Token &token);
    void accept(CK_SLOT_ID slot, const wire::ObjectList &list);

    Daemon &daemon_;
    std::atomic<bool> counted_ = false;
    Crypto &crypto_;
    mutable std::mutex mutex_;
    // All under mutex_.
    std::vector<Slot> slots_;
    std::uint64_t generation_ = 0;
    CK_OBJECT_HANDLE last_handle_ = 0;
    std::map<std::string, CK_OBJECT_HANDLE> handles_; ///< serial and identity
};

} // namespace demail::module
