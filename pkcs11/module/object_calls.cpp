// PKCS#11 2.40 5.7: objects. What is on the card stays as it is.
#include "module/call_parts.hpp"

using namespace demail;
using namespace demail::module;

namespace {

void expect_writable(const LockedSession &session) {
    require((session->flags & CKF_RW_SESSION) != 0, CKR_SESSION_READ_ONLY);
}

} // namespace

CK_RV C_CreateObject(CK_SESSION_HANDLE handle, CK_ATTRIBUTE *list, CK_ULONG count,
                     CK_OBJECT_HANDLE *object) {
    return enter([&](State &state) -> CK_RV {
        const LockedSession session = state.sessions.lock(handle);
        require(list != nullptr && object != nullptr);
        const auto wanted = pattern(list, count);
        require(std::any_of(wanted.begin(), wanted.end(),
                            [](const CK_ATTRIBUTE &one) { return one.type == CKA_CLASS; }),
                CKR_TEMPLATE_INCOMPLETE);
        return CKR_TOKEN_WRITE_PROTECTED;
    });
}

CK_RV C_CopyObject(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *list,
                   CK_ULONG count, CK_OBJECT_HANDLE *copy) {
    return enter([&](State &state) -> CK_RV {
        const LockedSession session = state.sessions.lock(handle);
        require(copy != nullptr);
        static_cast<void>(pattern(list, count));
        static_cast<void>(state.tokens.object(session->slot, object));
        return CKR_ACTION_PROHIBITED;
    });
}

CK_RV C_DestroyObject(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object) {
    return enter([&](State &state) -> CK_RV {
        const LockedSession session = state.sessions.lock(handle);
        static_cast<void>(state.tokens.object(session->slot, object));
        expect_writable(session);
        return CKR_ACTION_PROHIBITED;
    });
}

CK_RV C_GetObjectSize(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object, CK_ULONG *size) {
    return enter([&](State &state) {
        const LockedSession session = state.sessions.lock(handle);
        require(size != nullptr);
        CK_ULONG sum = 0;
        for (const Attribute &one : state.tokens.object(session->slot, object)->attributes)
            sum += one.value.size();
        *size = sum;
    });
}

CK_RV C_GetAttributeValue(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *list,
                          CK_ULONG count) {
    return enter([&](State &state) -> CK_RV {
        const LockedSession session = state.sessions.lock(handle);
        require(list != nullptr);
        return state.tokens.object(session->slot, object)->read(attributes(list, count));
    });
}

CK_RV C_SetAttributeValue(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *list,
                          CK_ULONG count) {
    return enter([&](State &state) -> CK_RV {
        const LockedSession session = state.sessions.lock(handle);
        require(list != nullptr);
        static_cast<void>(pattern(list, count));
        static_cast<void>(state.tokens.object(session->slot, object));
        expect_writable(session);
        return CKR_ATTRIBUTE_READ_ONLY;
    });
}

CK_RV C_FindObjectsInit(CK_SESSION_HANDLE handle, CK_ATTRIBUTE *list, CK_ULONG count) {
    return enter([&](State &state) {
        const LockedSession session = state.sessions.lock(handle);
        const auto wanted = pattern(list, count);
        require(!session->search, CKR_OPERATION_ACTIVE);
        Search search;
        for (const ObjectPointer &object : state.tokens.objects(session->slot))
            if (object->fits(wanted)) search.found.push_back(object->handle);
        session->search = std::move(search);
    });
}

CK_RV C_FindObjects(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE *objects, CK_ULONG room,
                    CK_ULONG *count) {
    return enter([&](State &state) {
        const LockedSession session = state.sessions.lock(handle);
        require(objects != nullptr && count != nullptr);
        require(session->search.has_value(), CKR_OPERATION_NOT_INITIALIZED);
        Search &search = *session->search;
        *count = std::min<CK_ULONG>(room, search.found.size() - search.next);
        std::copy_n(search.found.begin() + static_cast<std::ptrdiff_t>(search.next), *count,
                    objects);
        search.next += *count;
    });
}

CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE handle) {
    return enter([&](State &state) {
        const LockedSession session = state.sessions.lock(handle);
        require(session->search.has_value(), CKR_OPERATION_NOT_INITIALIZED);
        session->search.reset();
    });
}
