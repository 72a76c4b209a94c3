// PKCS#11 2.40 5.5: slots and tokens.
#include "module/call_parts.hpp"

using namespace demail;
using namespace demail::module;

namespace {

constexpr std::size_t serial_field = 16;

/// PKCS#11 has no room for the 20 digits of an ICCSN; its end is what differs between cards.
std::string_view shown_serial(const std::string &serial) {
    const std::string_view all = serial;
    return all.size() <= serial_field ? all : all.substr(all.size() - serial_field);
}

CK_FLAGS flags_of(const wire::PinFlags &pin) {
    CK_FLAGS flags = CKF_LOGIN_REQUIRED | CKF_TOKEN_INITIALIZED;
    if (pin.held) flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
    if (pin.tries_low) flags |= CKF_USER_PIN_COUNT_LOW;
    if (pin.final_try) flags |= CKF_USER_PIN_FINAL_TRY;
    if (pin.locked) flags |= CKF_USER_PIN_LOCKED;
    flags |= pin.null_pin ? CKF_USER_PIN_TO_BE_CHANGED : CKF_USER_PIN_INITIALIZED;
    return flags;
}

CK_TOKEN_INFO token_info(const wire::Token &token, Sessions::Count sessions) {
    CK_TOKEN_INFO info{};
    fill(info.label, token.label);
    fill(info.manufacturerID, token.manufacturer);
    fill(info.model, token.model);
    fill(info.serialNumber, shown_serial(token.serial));
    info.flags = flags_of(token.pin);
    info.ulMaxSessionCount = info.ulMaxRwSessionCount = CK_EFFECTIVELY_INFINITE;
    info.ulSessionCount = sessions.all;
    info.ulRwSessionCount = sessions.read_write;
    info.ulMinPinLen = token.pin_min;
    info.ulMaxPinLen = token.pin_max;
    info.ulTotalPublicMemory = info.ulFreePublicMemory = unavailable;
    info.ulTotalPrivateMemory = info.ulFreePrivateMemory = unavailable;
    fill(info.utcTime, "");
    return info;
}

/// A list into a caller's array (PKCS#11 2.40 5.2).
template <typename T, typename List>
void give_list(const List &list, T *out, CK_ULONG *count) {
    const CK_ULONG room = *count;
    *count = list.size();
    if (out == nullptr) return;
    require(room >= list.size(), CKR_BUFFER_TOO_SMALL);
    std::copy(list.begin(), list.end(), out);
}

} // namespace

CK_RV C_GetSlotList(CK_BBOOL token_present, CK_SLOT_ID *slots, CK_ULONG *count) {
    return enter([&](State &state) {
        require(count != nullptr);
        // Who asked for the number gets that many: the list may change only when it is asked for
        // without an array.
        if (slots == nullptr || !state.tokens.counted()) state.tokens.refresh();
        state.tokens.set_counted(slots == nullptr);
        give_list(state.tokens.slots(token_present == CK_TRUE), slots, count);
        if (slots != nullptr) state.tokens.acknowledge();
    });
}

CK_RV C_GetSlotInfo(CK_SLOT_ID slot, CK_SLOT_INFO *info) {
    return enter([&](State &state) {
        require(info != nullptr);
        state.tokens.refresh();
        const wire::Token token = state.tokens.token(slot);
        *info = {};
        fill(info->slotDescription, token.reader.empty() ? "no reader" : token.reader);
        fill(info->manufacturerID, "demail-cardd");
        info->flags = CKF_REMOVABLE_DEVICE | CKF_HW_SLOT;
        if (token.present) info->flags |= CKF_TOKEN_PRESENT;
    });
}

CK_RV C_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO *info) {
    return enter([&](State &state) {
        require(info != nullptr);
        state.tokens.refresh();
        const wire::Token token = state.tokens.token(slot);
        require(token.present, CKR_TOKEN_NOT_PRESENT);
        *info = token_info(token, state.sessions.count(slot));
    });
}

CK_RV C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID *slot, void *reserved) {
    return enter([&](State &state) {
        require(slot != nullptr && reserved == nullptr);
        for (;;) {
            state.tokens.refresh();
            require(!state.daemon.stopped(), CKR_CRYPTOKI_NOT_INITIALIZED);
            if (const auto event = state.tokens.take_event()) {
                *slot = *event;
                return;
            }
            require((flags & CKF_DONT_BLOCK) == 0, CKR_NO_EVENT);
            state.daemon.wait_for_change(state.tokens.generation());
        }
    });
}

CK_RV C_GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE *list, CK_ULONG *count) {
    return enter([&](State &state) {
        require(count != nullptr);
        state.tokens.expect(slot);
        std::vector<CK_MECHANISM_TYPE> types;
        for (const Offered &one : offered_mechanisms())
            types.push_back(one.type);
        give_list(types, list, count);
    });
}

CK_RV C_GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info) {
    return enter([&](State &state) {
        require(info != nullptr);
        state.tokens.expect(slot);
        *info = mechanism_info(type);
    });
}

// PINs are set and changed by a person at demailctl, who sees how many tries are left.
CK_RV C_InitToken(CK_SLOT_ID slot, CK_UTF8CHAR *pin, CK_ULONG size, CK_UTF8CHAR *label) {
    return enter([&](State &state) -> CK_RV {
        static_cast<void>(input_bytes(pin, size));
        require(label != nullptr);
        state.tokens.expect(slot);
        return CKR_FUNCTION_NOT_SUPPORTED;
    });
}

CK_RV C_InitPIN(CK_SESSION_HANDLE handle, CK_UTF8CHAR *pin, CK_ULONG size) {
    return enter([&](State &state) -> CK_RV {
        const LockedSession session = state.sessions.lock(handle);
        static_cast<void>(input_bytes(pin, size));
        return CKR_FUNCTION_NOT_SUPPORTED;
    });
}

CK_RV C_SetPIN(CK_SESSION_HANDLE handle, CK_UTF8CHAR *old_pin, CK_ULONG old_size,
               CK_UTF8CHAR *new_pin, CK_ULONG new_size) {
    return enter([&](State &state) -> CK_RV {
        const LockedSession session = state.sessions.lock(handle);
        static_cast<void>(input_bytes(old_pin, old_size));
        static_cast<void>(input_bytes(new_pin, new_size));
        return CKR_FUNCTION_NOT_SUPPORTED;
    });
}
