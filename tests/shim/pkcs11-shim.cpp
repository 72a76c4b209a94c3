// A PKCS#11 module in front of another one (DEMAIL_SHIM_MODULE, else SoftHSM) that fails as the
// tests say. It passes each call on, but for what the control file DEMAIL_SHIM_CONTROL says, which
// it reads anew at each call (write it aside and rename it). A line is one of:
//
//     return FUNCTION RESULT [TIMES]  what the function gives in place of being called
//     delay MS                        C_Sign takes that much longer
//     hang SECONDS [FUNCTION]         the function (C_Sign) does not return for so long, or until
//                                     this line is gone
//     hide MECHANISM                  not listed, and refused (CKM_ number)
//     refuse MECHANISM                listed, yet refused
//     pulled                          no card is in the reader
//     card N                          another number than before: the card was out and is back
//     serial TEXT                     in place of the token's own
//     flags ADD [DROP]                CK_TOKEN_INFO.flags, numbers
//     stain                           each call leaves an error in OpenSSL's queue
//     # …                             counts of TIMES begin anew when anything in the file changes
//
// After the card was out, sessions of before are invalid and the login is gone. Each call is a line
// "FUNCTION RESULT" in DEMAIL_SHIM_LOG; no argument of any is written down.
#include "control.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <p11-kit/pkcs11.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace {

using namespace demail::shim;

CK_FUNCTION_LIST *real() {
    static CK_FUNCTION_LIST *const functions = [] {
        const char *path = std::getenv("DEMAIL_SHIM_MODULE");
        void *const library =
            ::dlopen(path == nullptr ? "/usr/lib/softhsm/libsofthsm2.so" : path, RTLD_NOW);
        const auto get =
            library == nullptr
                ? nullptr
                : reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
        CK_FUNCTION_LIST *list = nullptr;
        if (get == nullptr || get(&list) != CKR_OK) {
            std::fprintf(stderr, "pkcs11-shim: no module behind it: %s\n", ::dlerror());
            std::abort();
        }
        return list;
    }();
    return functions;
}

struct State {
    std::mutex mutex;
    std::string text;                      ///< of the control file
    std::map<std::string, unsigned> given; ///< how often each "return" line was obeyed
    std::string card;
    bool out = false;
};

State &state() {
    static auto *const all = new State;
    return *all;
}

/// Whatever was open or logged in goes with the card.
void forget_sessions() {
    CK_SLOT_ID slots[64];
    CK_ULONG count = 64;
    if (real()->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK) return;
    for (CK_ULONG i = 0; i < count; ++i)
        (void)real()->C_CloseAllSessions(slots[i]);
}

/// What the control file wants in place of the call.
std::optional<CK_RV> answer_of(const Control &control, std::string_view function) {
    State &now = state();
    const std::lock_guard lock(now.mutex);
    if (now.text != control.text) now.given.clear();
    now.text = control.text;
    if ((now.out && !control.pulled) || now.card != control.card) forget_sessions();
    now.out = control.pulled;
    now.card = control.card;
    for (const Return &one : control.returns) {
        if (one.function != function) continue;
        if (one.times && now.given[one.line] >= *one.times) continue;
        ++now.given[one.line];
        return one.result;
    }
    return std::nullopt;
}

constexpr std::string_view without_session[] = {
    "C_Initialize",       "C_Finalize",         "C_GetInfo",     "C_GetSlotList",
    "C_GetSlotInfo",      "C_GetTokenInfo",     "C_InitToken",   "C_GetMechanismList",
    "C_GetMechanismInfo", "C_WaitForSlotEvent", "C_OpenSession", "C_CloseAllSessions",
    "C_CloseSession",     "C_GetFunctionList",  "C_GetInterface"};

std::optional<CK_RV> answer_without_card(std::string_view function) {
    if (function == "C_GetTokenInfo" || function == "C_OpenSession" ||
        function == "C_GetMechanismList" || function == "C_GetMechanismInfo")
        return CKR_TOKEN_NOT_PRESENT;
    if (std::find(std::begin(without_session), std::end(without_session), function) ==
        std::end(without_session))
        return CKR_DEVICE_REMOVED;
    return std::nullopt;
}

void wait(const Control &control, std::string_view function) {
    if (function == "C_Sign" && control.delay.count() > 0)
        std::this_thread::sleep_for(control.delay);
    if (control.hang.count() == 0 || control.hanging != function) return;
    const auto end = std::chrono::steady_clock::now() + control.hang;
    while (std::chrono::steady_clock::now() < end && read_control().hang.count() > 0)
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

void write_down(const char *function, CK_RV result) {
    const char *path = std::getenv("DEMAIL_SHIM_LOG");
    if (path == nullptr) return;
    const std::string line = std::string(function) + " " + text_of(result) + "\n";
    const int fd = ::open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return;
    if (::write(fd, line.data(), line.size()) < 0) std::abort();
    ::close(fd);
}

template <typename Call>
CK_RV pass(const char *function, Call call) {
    const Control control = read_control();
    wait(control, function);
    auto answer = answer_of(control, function);
    if (!answer && control.pulled) answer = answer_without_card(function);
    const CK_RV result = answer ? *answer : call(control);
    if (control.stain) ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR);
    write_down(function, result);
    return result;
}

template <auto Function>
struct Pass;
template <typename... Arguments, CK_RV (*CK_FUNCTION_LIST::*Function)(Arguments...)>
struct Pass<Function> {
    static inline const char *name = "";
    static CK_RV call(Arguments... arguments) {
        return pass(name, [&](const Control &) { return (real()->*Function)(arguments...); });
    }
};

CK_RV get_slot_list(unsigned char present, CK_SLOT_ID *slots, CK_ULONG *count) {
    return pass("C_GetSlotList", [&](const Control &control) -> CK_RV {
        if (!control.pulled || present == CK_FALSE)
            return real()->C_GetSlotList(present, slots, count);
        *count = 0;
        return CKR_OK;
    });
}

CK_RV get_slot_info(CK_SLOT_ID slot, CK_SLOT_INFO *info) {
    return pass("C_GetSlotInfo", [&](const Control &control) {
        const CK_RV result = real()->C_GetSlotInfo(slot, info);
        if (control.pulled) info->flags &= ~static_cast<CK_FLAGS>(CKF_TOKEN_PRESENT);
        return result;
    });
}

CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info) {
    return pass("C_GetTokenInfo", [&](const Control &control) {
        const CK_RV result = real()->C_GetTokenInfo(slot, info);
        if (result != CKR_OK) return result;
        info->flags = (info->flags | control.more_flags) & ~control.fewer_flags;
        if (!control.serial.empty()) {
            std::memset(info->serialNumber, ' ', sizeof info->serialNumber);
            std::memcpy(info->serialNumber, control.serial.data(),
                        std::min(control.serial.size(), sizeof info->serialNumber));
        }
        return result;
    });
}

CK_RV get_mechanism_list(CK_SLOT_ID slot, CK_MECHANISM_TYPE *list, CK_ULONG *count) {
    return pass("C_GetMechanismList", [&](const Control &control) {
        const CK_RV result = real()->C_GetMechanismList(slot, list, count);
        if (result != CKR_OK || list == nullptr) return result;
        for (const CK_MECHANISM_TYPE hidden : control.hidden)
            *count = static_cast<CK_ULONG>(std::remove(list, list + *count, hidden) - list);
        return result;
    });
}

CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key) {
    return pass("C_SignInit", [&](const Control &control) -> CK_RV {
        for (const auto *list : {&control.hidden, &control.refused})
            if (std::find(list->begin(), list->end(), mechanism->mechanism) != list->end())
                return CKR_MECHANISM_INVALID;
        return real()->C_SignInit(session, mechanism, key);
    });
}

CK_FUNCTION_LIST *list() {
    static CK_FUNCTION_LIST functions = [] {
        CK_FUNCTION_LIST all = *real();
#define PASS(function)                                                                             \
    Pass<&CK_FUNCTION_LIST::function>::name = #function;                                           \
    all.function = Pass<&CK_FUNCTION_LIST::function>::call;
        PASS(C_Initialize)
        PASS(C_Finalize)
        PASS(C_GetInfo)
        PASS(C_GetMechanismInfo)
        PASS(C_InitToken)
        PASS(C_InitPIN)
        PASS(C_SetPIN)
        PASS(C_OpenSession)
        PASS(C_CloseSession)
        PASS(C_CloseAllSessions)
        PASS(C_GetSessionInfo)
        PASS(C_GetOperationState)
        PASS(C_SetOperationState)
        PASS(C_Login)
        PASS(C_Logout)
        PASS(C_CreateObject)
        PASS(C_CopyObject)
        PASS(C_DestroyObject)
        PASS(C_GetObjectSize)
        PASS(C_GetAttributeValue)
        PASS(C_SetAttributeValue)
        PASS(C_FindObjectsInit)
        PASS(C_FindObjects)
        PASS(C_FindObjectsFinal)
        PASS(C_EncryptInit)
        PASS(C_Encrypt)
        PASS(C_EncryptUpdate)
        PASS(C_EncryptFinal)
        PASS(C_DecryptInit)
        PASS(C_Decrypt)
        PASS(C_DecryptUpdate)
        PASS(C_DecryptFinal)
        PASS(C_DigestInit)
        PASS(C_Digest)
        PASS(C_DigestUpdate)
        PASS(C_DigestKey)
        PASS(C_DigestFinal)
        PASS(C_Sign)
        PASS(C_SignUpdate)
        PASS(C_SignFinal)
        PASS(C_SignRecoverInit)
        PASS(C_SignRecover)
        PASS(C_VerifyInit)
        PASS(C_Verify)
        PASS(C_VerifyUpdate)
        PASS(C_VerifyFinal)
        PASS(C_VerifyRecoverInit)
        PASS(C_VerifyRecover)
        PASS(C_GenerateKey)
        PASS(C_GenerateKeyPair)
        PASS(C_WrapKey)
        PASS(C_UnwrapKey)
        PASS(C_DeriveKey)
        PASS(C_SeedRandom)
        PASS(C_GenerateRandom)
        PASS(C_WaitForSlotEvent)
#undef PASS
        all.C_GetSlotList = get_slot_list;
        all.C_GetSlotInfo = get_slot_info;
        all.C_GetTokenInfo = get_token_info;
        all.C_GetMechanismList = get_mechanism_list;
        all.C_SignInit = sign_init;
        return all;
    }();
    return &functions;
}

} // namespace

extern "C" __attribute__((visibility("default"))) CK_RV
C_GetFunctionList(CK_FUNCTION_LIST **functions) {
    return pass("C_GetFunctionList", [&](const Control &) -> CK_RV {
        *functions = list();
        return CKR_OK;
    });
}
