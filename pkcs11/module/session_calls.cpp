// PKCS#11 2.40 5.6: sessions, login.
#include "module/call_parts.hpp"

using namespace demail;
using namespace demail::module;

namespace {

CK_STATE state_of(CK_FLAGS flags, bool logged_in) {
    if ((flags & CKF_RW_SESSION) != 0)
        return logged_in ? CKS_RW_USER_FUNCTIONS : CKS_RW_PUBLIC_SESSION;
    return logged_in ? CKS_RO_USER_FUNCTIONS : CKS_RO_PUBLIC_SESSION;
}

/// A card has no security officer, and no key that asks for its PIN with each use.
void expect_user(State &state, CK_SLOT_ID slot, CK_USER_TYPE user) {
    if (user == CKU_USER) return;
    require(user != CKU_CONTEXT_SPECIFIC, CKR_OPERATION_NOT_INITIALIZED);
    require(user == CKU_SO, CKR_USER_TYPE_INVALID);
    require(!state.tokens.logged_in(slot), CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
    const Sessions::Count count = state.sessions.count(slot);
    require(count.all == count.read_write, CKR_SESSION_READ_ONLY_EXISTS);
    throw Refused{CKR_USER_TYPE_INVALID};
}

std::optional<Secret> pin_of(CK_UTF8CHAR *pin, CK_ULONG size) {
    const std::string_view bytes = input_bytes(pin, size);
    if (bytes.empty()) return std::nullopt;
    require(bytes.size() <= wire::limit::pin, CKR_PIN_LEN_RANGE);
    return Secret::copy_of(bytes);
}

} // namespace

CK_RV C_OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, void *, CK_NOTIFY, CK_SESSION_HANDLE *handle) {
    return enter([&](State &state) {
        require(handle != nullptr);
        require((flags & CKF_SERIAL_SESSION) != 0, CKR_SESSION_PARALLEL_NOT_SUPPORTED);
        state.tokens.refresh();
        require(state.tokens.usable(slot), CKR_TOKEN_NOT_PRESENT);
        *handle = state.sessions.open(slot, flags & (CKF_SERIAL_SESSION | CKF_RW_SESSION));
    });
}

CK_RV C_CloseSession(CK_SESSION_HANDLE handle) {
    return enter([&](State &state) {
        const CK_SLOT_ID slot = state.sessions.slot_of(handle);
        if (state.sessions.close(handle) == 0) state.tokens.set_logged_in(slot, false);
    });
}

CK_RV C_CloseAllSessions(CK_SLOT_ID slot) {
    return enter([&](State &state) {
        state.tokens.expect(slot);
        state.sessions.close_all(slot);
        state.tokens.set_logged_in(slot, false);
    });
}

CK_RV C_GetSessionInfo(CK_SESSION_HANDLE handle, CK_SESSION_INFO *info) {
    return enter([&](State &state) {
        const LockedSession session = state.sessions.lock(handle);
        require(info != nullptr);
        *info = {};
        info->slotID = session->slot;
        info->flags = session->flags;
        info->state = state_of(session->flags, state.tokens.logged_in(session->slot));
    });
}

CK_RV C_GetOperationState(CK_SESSION_HANDLE handle, CK_BYTE *, CK_ULONG *size) {
    return enter([&](State &state) -> CK_RV {
        const LockedSession session = state.sessions.lock(handle);
        require(size != nullptr);
        return CKR_FUNCTION_NOT_SUPPORTED;
    });
}

CK_RV C_SetOperationState(CK_SESSION_HANDLE handle, CK_BYTE *bytes, CK_ULONG, CK_OBJECT_HANDLE,
                          CK_OBJECT_HANDLE) {
    return enter([&](State &state) -> CK_RV {
        const LockedSession session = state.sessions.lock(handle);
        require(bytes != nullptr);
        return CKR_FUNCTION_NOT_SUPPORTED;
    });
}

CK_RV C_Login(CK_SESSION_HANDLE handle, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG size) {
    return enter([&](State &state) {
        const LockedSession session = state.sessions.lock(handle);
        auto secret = pin_of(pin, size);
        expect_user(state, session->slot, user);
        state.tokens.refresh();
        const wire::Token token = state.tokens.token(session->slot);
        // The daemon may have dropped the PIN since: then the caller may log in anew.
        require(!state.tokens.logged_in(session->slot) || !token.pin.held,
                CKR_USER_ALREADY_LOGGED_IN);
        state.daemon.login({token.serial, std::move(secret)});
        state.tokens.set_logged_in(session->slot, true);
    });
}

CK_RV C_Logout(CK_SESSION_HANDLE handle) {
    return enter([&](State &state) {
        const LockedSession session = state.sessions.lock(handle);
        require(state.tokens.logged_in(session->slot), CKR_USER_NOT_LOGGED_IN);
        state.tokens.set_logged_in(session->slot, false);
        state.daemon.logout(state.tokens.token(session->slot).serial);
    });
}
