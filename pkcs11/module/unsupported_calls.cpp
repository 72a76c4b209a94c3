// What a card of this kind does not do. Arguments are looked at all the same, so that a faulty call
// is told from a missing function.
#include "module/call_parts.hpp"

using namespace demail::module;

namespace {

/// `present`: the pointers that must be there.
CK_RV refuse(CK_SESSION_HANDLE handle, std::initializer_list<const void *> present,
             CK_RV result = CKR_FUNCTION_NOT_SUPPORTED) {
    return enter([&](State &state) -> CK_RV {
        const LockedSession session = state.sessions.lock(handle);
        for (const void *pointer : present)
            require(pointer != nullptr);
        return result;
    });
}

} // namespace

CK_RV C_EncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE) {
    return refuse(session, {mechanism});
}
CK_RV C_Encrypt(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG, CK_BYTE *, CK_ULONG *length) {
    return refuse(session, {data, length}, CKR_OPERATION_NOT_INITIALIZED);
}
CK_RV C_EncryptUpdate(CK_SESSION_HANDLE session, CK_BYTE *part, CK_ULONG, CK_BYTE *,
                      CK_ULONG *length) {
    return refuse(session, {part, length}, CKR_OPERATION_NOT_INITIALIZED);
}
CK_RV C_EncryptFinal(CK_SESSION_HANDLE session, CK_BYTE *, CK_ULONG *length) {
    return refuse(session, {length}, CKR_OPERATION_NOT_INITIALIZED);
}

CK_RV C_SignRecoverInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE) {
    return refuse(session, {mechanism});
}
CK_RV C_SignRecover(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG, CK_BYTE *,
                    CK_ULONG *length) {
    return refuse(session, {data, length}, CKR_OPERATION_NOT_INITIALIZED);
}
CK_RV C_VerifyRecoverInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE) {
    return refuse(session, {mechanism});
}
CK_RV C_VerifyRecover(CK_SESSION_HANDLE session, CK_BYTE *signature, CK_ULONG, CK_BYTE *,
                      CK_ULONG *length) {
    return refuse(session, {signature, length}, CKR_OPERATION_NOT_INITIALIZED);
}

CK_RV C_DigestEncryptUpdate(CK_SESSION_HANDLE session, CK_BYTE *part, CK_ULONG, CK_BYTE *,
                            CK_ULONG *length) {
    return refuse(session, {part, length});
}
CK_RV C_DecryptDigestUpdate(CK_SESSION_HANDLE session, CK_BYTE *part, CK_ULONG, CK_BYTE *,
                            CK_ULONG *length) {
    return refuse(session, {part, length});
}
CK_RV C_SignEncryptUpdate(CK_SESSION_HANDLE session, CK_BYTE *part, CK_ULONG, CK_BYTE *,
                          CK_ULONG *length) {
    return refuse(session, {part, length});
}
CK_RV C_DecryptVerifyUpdate(CK_SESSION_HANDLE session, CK_BYTE *part, CK_ULONG, CK_BYTE *,
                            CK_ULONG *length) {
    return refuse(session, {part, length});
}

CK_RV C_GenerateKey(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *list,
                    CK_ULONG, CK_OBJECT_HANDLE *key) {
    return refuse(session, {mechanism, list, key});
}
CK_RV C_GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *public_,
                        CK_ULONG, CK_ATTRIBUTE *private_, CK_ULONG, CK_OBJECT_HANDLE *public_key,
                        CK_OBJECT_HANDLE *private_key) {
    return refuse(session, {mechanism, public_, private_, public_key, private_key});
}
CK_RV C_WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE,
                CK_OBJECT_HANDLE, CK_BYTE *, CK_ULONG *length) {
    return refuse(session, {mechanism, length});
}
CK_RV C_UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE,
                  CK_BYTE *wrapped, CK_ULONG, CK_ATTRIBUTE *list, CK_ULONG, CK_OBJECT_HANDLE *key) {
    return refuse(session, {mechanism, wrapped, list, key});
}
CK_RV C_DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE,
                  CK_ATTRIBUTE *list, CK_ULONG, CK_OBJECT_HANDLE *key) {
    return refuse(session, {mechanism, list, key});
}

CK_RV C_SeedRandom(CK_SESSION_HANDLE session, CK_BYTE *seed, CK_ULONG) {
    return refuse(session, {seed}, CKR_RANDOM_NO_RNG);
}
CK_RV C_GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE *random, CK_ULONG) {
    return refuse(session, {random}, CKR_RANDOM_NO_RNG);
}

// PKCS#11 2.40 5.15: left over from parallel sessions.
CK_RV C_GetFunctionStatus(CK_SESSION_HANDLE session) {
    return refuse(session, {}, CKR_FUNCTION_NOT_PARALLEL);
}
CK_RV C_CancelFunction(CK_SESSION_HANDLE session) {
    return refuse(session, {}, CKR_FUNCTION_NOT_PARALLEL);
}
