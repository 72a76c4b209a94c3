// PKCS#11 2.40 5.11 and 5.12: signing on the card, checking signatures in software.
#include "module/call_parts.hpp"

using namespace demail;
using namespace demail::module;

CK_RV C_SignInit(CK_SESSION_HANDLE handle, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key) {
    return enter([&](State &state) {
        const LockedSession session = state.sessions.lock(handle);
        require(mechanism != nullptr);
        require(!session->sign, CKR_OPERATION_ACTIVE);
        SignMechanism how = sign_mechanism(*mechanism);
        expect_login(state, session->slot);
        const ObjectPointer object =
            key_for(state, session->slot, key, CKO_PRIVATE_KEY, &wire::Key::may_sign);
        session->sign.emplace(state.crypto, std::move(how), object->key,
                              state.tokens.token(session->slot).serial);
    });
}

CK_RV C_Sign(CK_SESSION_HANDLE handle, CK_BYTE *data, CK_ULONG size, CK_BYTE *signature,
             CK_ULONG *signature_length) {
    return enter([&](State &state) -> CK_RV {
        const LockedSession session = state.sessions.lock(handle);
        Ending ending(session->sign);
        const std::string_view input = input_bytes(data, size);
        const Output output(signature, signature_length);
        SignOperation &sign = ending.operation();
        sign.course.whole();
        expect_login(state, session->slot);
        if (!output.fits(signature_size(sign.key))) return ending.keep(output);
        sign.message.update(input);
        output.give(sign.finish(state.daemon));
        return CKR_OK;
    });
}

CK_RV C_SignUpdate(CK_SESSION_HANDLE handle, CK_BYTE *part, CK_ULONG size) {
    return enter([&](State &state) -> CK_RV {
        const LockedSession session = state.sessions.lock(handle);
        Ending ending(session->sign);
        const std::string_view input = input_bytes(part, size);
        SignOperation &sign = ending.operation();
        sign.course.parts();
        sign.message.update(input);
        return ending.keep();
    });
}

CK_RV C_SignFinal(CK_SESSION_HANDLE handle, CK_BYTE *signature, CK_ULONG *signature_length) {
    return enter([&](State &state) -> CK_RV {
        const LockedSession session = state.sessions.lock(handle);
        Ending ending(session->sign);
        const Output output(signature, signature_length);
        SignOperation &sign = ending.operation();
        sign.course.parts();
        expect_login(state, session->slot);
        if (!output.fits(signature_size(sign.key))) return ending.keep(output);
        output.give(sign.finish(state.daemon));
        return CKR_OK;
    });
}

CK_RV C_VerifyInit(CK_SESSION_HANDLE handle, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key) {
    return enter([&](State &state) {
        const LockedSession session = state.sessions.lock(handle);
        require(mechanism != nullptr);
        require(!session->verify, CKR_OPERATION_ACTIVE);
        SignMechanism how = sign_mechanism(*mechanism);
        const ObjectPointer object =
            key_for(state, session->slot, key, CKO_PUBLIC_KEY, &wire::Key::may_sign);
        session->verify.emplace(state.crypto, std::move(how), object->key);
    });
}

CK_RV C_Verify(CK_SESSION_HANDLE handle, CK_BYTE *data, CK_ULONG size, CK_BYTE *signature,
               CK_ULONG signature_length) {
    return enter([&](State &state) {
        const LockedSession session = state.sessions.lock(handle);
        const Ending ending(session->verify);
        const std::string_view input = input_bytes(data, size);
        require(signature != nullptr);
        VerifyOperation &verify = ending.operation();
        verify.course.whole();
        verify.message.update(input);
        verify.finish(state.crypto, input_bytes(signature, signature_length));
    });
}

CK_RV C_VerifyUpdate(CK_SESSION_HANDLE handle, CK_BYTE *part, CK_ULONG size) {
    return enter([&](State &state) -> CK_RV {
        const LockedSession session = state.sessions.lock(handle);
        Ending ending(session->verify);
        const std::string_view input = input_bytes(part, size);
        VerifyOperation &verify = ending.operation();
        verify.course.parts();
        verify.message.update(input);
        return ending.keep();
    });
}

CK_RV C_VerifyFinal(CK_SESSION_HANDLE handle, CK_BYTE *signature, CK_ULONG signature_length) {
    return enter([&](State &state) {
        const LockedSession session = state.sessions.lock(handle);
        const Ending ending(session->verify);
        require(signature != nullptr);
        VerifyOperation &verify = ending.operation();
        verify.course.parts();
        verify.finish(state.crypto, input_bytes(signature, signature_length));
    });
}
