// PKCS#11 2.40 5.10: digests, in software.
#include "module/call_parts.hpp"

using namespace demail;
using namespace demail::module;

CK_RV C_DigestInit(CK_SESSION_HANDLE handle, CK_MECHANISM *mechanism) {
    return enter([&](State &state) {
        const LockedSession session = state.sessions.lock(handle);
        require(mechanism != nullptr);
        require(!session->digest, CKR_OPERATION_ACTIVE);
        session->digest.emplace(state.crypto, digest_mechanism(*mechanism));
    });
}

CK_RV C_Digest(CK_SESSION_HANDLE handle, CK_BYTE *data, CK_ULONG size, CK_BYTE *digest,
               CK_ULONG *digest_length) {
    return enter([&](State &state) -> CK_RV {
        const LockedSession session = state.sessions.lock(handle);
        Ending ending(session->digest);
        const std::string_view input = input_bytes(data, size);
        const Output output(digest, digest_length);
        DigestOperation &operation = ending.operation();
        operation.course.whole();
        if (!output.fits(operation.digest.size())) return ending.keep(output);
        operation.digest.update(input);
        output.give(operation.digest.finish());
        return CKR_OK;
    });
}

CK_RV C_DigestUpdate(CK_SESSION_HANDLE handle, CK_BYTE *part, CK_ULONG size) {
    return enter([&](State &state) -> CK_RV {
        const LockedSession session = state.sessions.lock(handle);
        Ending ending(session->digest);
        const std::string_view input = input_bytes(part, size);
        DigestOperation &operation = ending.operation();
        operation.course.parts();
        operation.digest.update(input);
        return ending.keep();
    });
}

CK_RV C_DigestKey(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE key) {
    return enter([&](State &state) -> CK_RV {
        const LockedSession session = state.sessions.lock(handle);
        Ending ending(session->digest);
        static_cast<void>(ending.operation());
        static_cast<void>(state.tokens.object(session->slot, key, CKR_KEY_HANDLE_INVALID));
        return CKR_KEY_INDIGESTIBLE;
    });
}

CK_RV C_DigestFinal(CK_SESSION_HANDLE handle, CK_BYTE *digest, CK_ULONG *digest_length) {
    return enter([&](State &state) -> CK_RV {
        const LockedSession session = state.sessions.lock(handle);
        Ending ending(session->digest);
        const Output output(digest, digest_length);
        DigestOperation &operation = ending.operation();
        operation.course.parts();
        if (!output.fits(operation.digest.size())) return ending.keep(output);
        output.give(operation.digest.finish());
        return CKR_OK;
    });
}
