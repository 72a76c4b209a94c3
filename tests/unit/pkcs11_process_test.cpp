// The module in a program's process: NULL arguments, fork, threads, restarts of the daemon,
// loading.
#include "check.hpp"
#include "pkcs11_world.hpp"

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>

namespace {

using namespace demail;
using namespace demail::test;
using namespace std::chrono_literals;

const CK_MECHANISM sha256_rsa{CKM_SHA256_RSA_PKCS, nullptr, 0};

void before_initialisation_nothing_works() {
    CK_FUNCTION_LIST *const p11 = module_functions();
    CK_ULONG count = 0;
    CK_INFO info{};
    CHECK_RV(p11->C_GetSlotList(CK_FALSE, nullptr, &count), CKR_CRYPTOKI_NOT_INITIALIZED);
    CHECK_RV(p11->C_GetInfo(&info), CKR_CRYPTOKI_NOT_INITIALIZED);
    CHECK_RV(p11->C_CloseSession(1), CKR_CRYPTOKI_NOT_INITIALIZED);
    CHECK_RV(p11->C_GenerateRandom(1, nullptr, 0), CKR_CRYPTOKI_NOT_INITIALIZED);
    CHECK_RV(p11->C_Finalize(nullptr), CKR_CRYPTOKI_NOT_INITIALIZED);
}

void initialisation_takes_what_the_standard_allows() {
    CK_FUNCTION_LIST *const p11 = module_functions();
    CK_C_INITIALIZE_ARGS arguments{};
    const auto result = [&] {
        const CK_RV rv = p11->C_Initialize(&arguments);
        if (rv == CKR_OK) CHECK_OK(p11->C_Finalize(nullptr));
        return rv_name(rv);
    };
    CHECK_EQUAL(result(), "CKR_OK");
    arguments.flags = CKF_LIBRARY_CANT_CREATE_OS_THREADS | CKF_OS_LOCKING_OK;
    CHECK_EQUAL(result(), "CKR_OK");
    arguments.pReserved = &arguments;
    CHECK_EQUAL(result(), "CKR_ARGUMENTS_BAD");
    arguments.pReserved = nullptr;
    arguments.LockMutex = [](void *) { return CKR_OK; };
    CHECK_EQUAL(result(), "CKR_ARGUMENTS_BAD");
    arguments.UnlockMutex = arguments.DestroyMutex = arguments.LockMutex;
    arguments.CreateMutex = [](void **) { return CKR_OK; };
    CHECK_EQUAL(result(), "CKR_OK");
    // Only the caller's own locks: those are not used.
    arguments.flags = 0;
    CHECK_EQUAL(result(), "CKR_CANT_LOCK");
    CHECK_OK(p11->C_Initialize(nullptr));
    CHECK_RV(p11->C_Initialize(nullptr), CKR_CRYPTOKI_ALREADY_INITIALIZED);
    CHECK_RV(p11->C_Finalize(&arguments), CKR_ARGUMENTS_BAD);
    CHECK_OK(p11->C_Finalize(nullptr));
}

void every_missing_pointer_is_told_by_its_name() {
    Pkcs11World world;
    CK_FUNCTION_LIST *const p11 = world.p11;
    const CK_SESSION_HANDLE s = world.open_logged_in();
    const CK_OBJECT_HANDLE key = world.object(s, CKO_PRIVATE_KEY, "demail-auth");
    CK_BYTE bytes[16] = {};
    CK_ULONG size = sizeof bytes;
    CK_MECHANISM mechanism = sha256_rsa;
    CK_ATTRIBUTE good{CKA_LABEL, bytes, 4}, bad{CKA_LABEL, nullptr, 4};
    CK_OBJECT_HANDLE object = 0;
    CK_ATTRIBUTE *const none = nullptr;
    struct Call {
        const char *what;
        std::function<CK_RV()> run;
    };
    const Call calls[] = {
        {"C_GetInfo", [&] { return p11->C_GetInfo(nullptr); }},
        {"C_GetFunctionList", [&] { return p11->C_GetFunctionList(nullptr); }},
        {"C_GetSlotList", [&] { return p11->C_GetSlotList(CK_TRUE, nullptr, nullptr); }},
        {"C_GetSlotInfo", [&] { return p11->C_GetSlotInfo(5, nullptr); }},
        {"C_GetTokenInfo", [&] { return p11->C_GetTokenInfo(5, nullptr); }},
        {"C_WaitForSlotEvent",
         [&] { return p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, nullptr, nullptr); }},
        {"C_WaitForSlotEvent, reserved",
         [&] { return p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &size, bytes); }},
        {"C_GetMechanismList", [&] { return p11->C_GetMechanismList(5, nullptr, nullptr); }},
        {"C_GetMechanismInfo", [&] { return p11->C_GetMechanismInfo(5, CKM_RSA_PKCS, nullptr); }},
        {"C_InitToken, pin", [&] { return p11->C_InitToken(5, nullptr, 4, bytes); }},
        {"C_InitToken, label", [&] { return p11->C_InitToken(5, bytes, 4, nullptr); }},
        {"C_InitPIN", [&] { return p11->C_InitPIN(s, nullptr, 4); }},
        {"C_SetPIN, old", [&] { return p11->C_SetPIN(s, nullptr, 4, bytes, 4); }},
        {"C_SetPIN, new", [&] { return p11->C_SetPIN(s, bytes, 4, nullptr, 4); }},
        {"C_OpenSession",
         [&] { return p11->C_OpenSession(5, CKF_SERIAL_SESSION, nullptr, nullptr, nullptr); }},
        {"C_GetSessionInfo", [&] { return p11->C_GetSessionInfo(s, nullptr); }},
        {"C_GetOperationState", [&] { return p11->C_GetOperationState(s, bytes, nullptr); }},
        {"C_SetOperationState", [&] { return p11->C_SetOperationState(s, nullptr, 4, key, key); }},
        {"C_Login", [&] { return p11->C_Login(s, CKU_USER, nullptr, 6); }},
        {"C_CreateObject, template", [&] { return p11->C_CreateObject(s, none, 1, &object); }},
        {"C_CreateObject, object", [&] { return p11->C_CreateObject(s, &good, 1, nullptr); }},
        {"C_CreateObject, value", [&] { return p11->C_CreateObject(s, &bad, 1, &object); }},
        {"C_CopyObject, template", [&] { return p11->C_CopyObject(s, key, none, 1, &object); }},
        {"C_CopyObject, object", [&] { return p11->C_CopyObject(s, key, &good, 1, nullptr); }},
        {"C_GetObjectSize", [&] { return p11->C_GetObjectSize(s, key, nullptr); }},
        {"C_GetAttributeValue", [&] { return p11->C_GetAttributeValue(s, key, none, 1); }},
        {"C_SetAttributeValue", [&] { return p11->C_SetAttributeValue(s, key, none, 1); }},
        {"C_SetAttributeValue, value", [&] { return p11->C_SetAttributeValue(s, key, &bad, 1); }},
        {"C_FindObjectsInit", [&] { return p11->C_FindObjectsInit(s, none, 1); }},
        {"C_FindObjectsInit, value", [&] { return p11->C_FindObjectsInit(s, &bad, 1); }},
        {"C_FindObjects, objects", [&] { return p11->C_FindObjects(s, nullptr, 1, &size); }},
        {"C_FindObjects, count", [&] { return p11->C_FindObjects(s, &object, 1, nullptr); }},
        {"C_EncryptInit", [&] { return p11->C_EncryptInit(s, nullptr, key); }},
        {"C_Encrypt", [&] { return p11->C_Encrypt(s, nullptr, 4, bytes, &size); }},
        {"C_Encrypt, length", [&] { return p11->C_Encrypt(s, bytes, 4, bytes, nullptr); }},
        {"C_EncryptUpdate", [&] { return p11->C_EncryptUpdate(s, nullptr, 4, bytes, &size); }},
        {"C_EncryptFinal", [&] { return p11->C_EncryptFinal(s, bytes, nullptr); }},
        {"C_DecryptInit", [&] { return p11->C_DecryptInit(s, nullptr, key); }},
        {"C_Decrypt", [&] { return p11->C_Decrypt(s, nullptr, 4, bytes, &size); }},
        {"C_Decrypt, length", [&] { return p11->C_Decrypt(s, bytes, 4, bytes, nullptr); }},
        {"C_DecryptUpdate", [&] { return p11->C_DecryptUpdate(s, nullptr, 4, bytes, &size); }},
        {"C_DecryptUpdate, length",
         [&] { return p11->C_DecryptUpdate(s, bytes, 4, bytes, nullptr); }},
        {"C_DecryptFinal", [&] { return p11->C_DecryptFinal(s, bytes, nullptr); }},
        {"C_DigestInit", [&] { return p11->C_DigestInit(s, nullptr); }},
        {"C_Digest", [&] { return p11->C_Digest(s, nullptr, 4, bytes, &size); }},
        {"C_Digest, length", [&] { return p11->C_Digest(s, bytes, 4, bytes, nullptr); }},
        {"C_DigestUpdate", [&] { return p11->C_DigestUpdate(s, nullptr, 4); }},
        {"C_DigestFinal", [&] { return p11->C_DigestFinal(s, bytes, nullptr); }},
        {"C_SignInit", [&] { return p11->C_SignInit(s, nullptr, key); }},
        {"C_Sign", [&] { return p11->C_Sign(s, nullptr, 4, bytes, &size); }},
        {"C_Sign, length", [&] { return p11->C_Sign(s, bytes, 4, bytes, nullptr); }},
        {"C_SignUpdate", [&] { return p11->C_SignUpdate(s, nullptr, 4); }},
        {"C_SignFinal", [&] { return p11->C_SignFinal(s, bytes, nullptr); }},
        {"C_SignRecoverInit", [&] { return p11->C_SignRecoverInit(s, nullptr, key); }},
        {"C_SignRecover", [&] { return p11->C_SignRecover(s, nullptr, 4, bytes, &size); }},
        {"C_VerifyInit", [&] { return p11->C_VerifyInit(s, nullptr, key); }},
        {"C_Verify", [&] { return p11->C_Verify(s, nullptr, 4, bytes, 4); }},
        {"C_Verify, signature", [&] { return p11->C_Verify(s, bytes, 4, nullptr, 4); }},
        {"C_VerifyUpdate", [&] { return p11->C_VerifyUpdate(s, nullptr, 4); }},
        {"C_VerifyFinal", [&] { return p11->C_VerifyFinal(s, nullptr, 4); }},
        {"C_VerifyRecoverInit", [&] { return p11->C_VerifyRecoverInit(s, nullptr, key); }},
        {"C_VerifyRecover", [&] { return p11->C_VerifyRecover(s, nullptr, 4, bytes, &size); }},
        {"C_DigestEncryptUpdate",
         [&] { return p11->C_DigestEncryptUpdate(s, nullptr, 4, bytes, &size); }},
        {"C_DecryptDigestUpdate",
         [&] { return p11->C_DecryptDigestUpdate(s, bytes, 4, bytes, nullptr); }},
        {"C_SignEncryptUpdate",
         [&] { return p11->C_SignEncryptUpdate(s, nullptr, 4, bytes, &size); }},
        {"C_DecryptVerifyUpdate",
         [&] { return p11->C_DecryptVerifyUpdate(s, nullptr, 4, bytes, &size); }},
        {"C_GenerateKey", [&] { return p11->C_GenerateKey(s, nullptr, &good, 1, &object); }},
        {"C_GenerateKey, key",
         [&] { return p11->C_GenerateKey(s, &mechanism, &good, 1, nullptr); }},
        {"C_GenerateKeyPair",
         [&] { return p11->C_GenerateKeyPair(s, nullptr, &good, 1, &good, 1, &object, &object); }},
        {"C_WrapKey", [&] { return p11->C_WrapKey(s, &mechanism, key, key, bytes, nullptr); }},
        {"C_UnwrapKey",
         [&] { return p11->C_UnwrapKey(s, &mechanism, key, nullptr, 4, &good, 1, &object); }},
        {"C_DeriveKey", [&] { return p11->C_DeriveKey(s, nullptr, key, &good, 1, &object); }},
        {"C_SeedRandom", [&] { return p11->C_SeedRandom(s, nullptr, 4); }},
        {"C_GenerateRandom", [&] { return p11->C_GenerateRandom(s, nullptr, 4); }},
    };
    for (const Call &call : calls)
        CHECK_EQUAL(std::string(call.what) + ": " + rv_name(call.run()),
                    std::string(call.what) + ": CKR_ARGUMENTS_BAD");
    // And after all that the session is good.
    CHECK_EQUAL(world.sign(s, sha256_rsa, key, "text").size(), 256U);
}

void no_session_is_taken_for_another() {
    Pkcs11World world;
    CK_FUNCTION_LIST *const p11 = world.p11;
    CK_BYTE bytes[16] = {};
    CK_ULONG size = sizeof bytes;
    CK_MECHANISM mechanism = sha256_rsa;
    CK_SESSION_INFO info{};
    for (const CK_SESSION_HANDLE s : {0UL, 77UL, ~0UL}) {
        CHECK_RV(p11->C_CloseSession(s), CKR_SESSION_HANDLE_INVALID);
        CHECK_RV(p11->C_GetSessionInfo(s, &info), CKR_SESSION_HANDLE_INVALID);
        CHECK_RV(p11->C_Login(s, CKU_USER, nullptr, 0), CKR_SESSION_HANDLE_INVALID);
        CHECK_RV(p11->C_SignInit(s, &mechanism, 1), CKR_SESSION_HANDLE_INVALID);
        CHECK_RV(p11->C_Sign(s, bytes, 4, bytes, &size), CKR_SESSION_HANDLE_INVALID);
        CHECK_RV(p11->C_GenerateRandom(s, bytes, 4), CKR_SESSION_HANDLE_INVALID);
        CHECK_RV(p11->C_GetFunctionStatus(s), CKR_SESSION_HANDLE_INVALID);
    }
    CHECK_RV(p11->C_CloseAllSessions(88888), CKR_SLOT_ID_INVALID);
}

/// The child's verdict: what `body` returns, or -1 when it did not end well.
int in_child(const std::function<bool()> &body) {
    const pid_t child = ::fork();
    if (child == 0) {
        bool good = false;
        try {
            good = body();
        } catch (...) {
        }
        ::_exit(good ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void a_child_begins_anew_and_the_parent_goes_on() {
    Pkcs11World world;
    const CK_SESSION_HANDLE session = world.open_logged_in();
    const CK_OBJECT_HANDLE key = world.object(session, CKO_PRIVATE_KEY, "demail-auth");
    CHECK_EQUAL(in_child([&] {
                    CK_ULONG count = 0;
                    CK_FUNCTION_LIST *const p11 = world.p11;
                    if (p11->C_GetSlotList(CK_TRUE, nullptr, &count) !=
                        CKR_CRYPTOKI_NOT_INITIALIZED)
                        return false;
                    if (p11->C_Initialize(nullptr) != CKR_OK) return false;
                    CK_SESSION_INFO info{};
                    if (p11->C_GetSessionInfo(session, &info) != CKR_SESSION_HANDLE_INVALID)
                        return false;
                    const CK_SESSION_HANDLE own = world.open();
                    if (p11->C_Login(own, CKU_USER, nullptr, 0) != CKR_OK) return false;
                    const auto signature = world.sign(
                        own, sha256_rsa, world.object(own, CKO_PRIVATE_KEY, "demail-auth"), "text");
                    return signature.size() == 256 && p11->C_Finalize(nullptr) == CKR_OK;
                }),
                0);
    CHECK_EQUAL(world.sign(session, sha256_rsa, key, "text").size(), 256U);
}

void a_fork_amid_calls_of_other_threads_leaves_no_lock_behind() {
    Pkcs11World world;
    std::atomic<bool> over = false;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            while (!over) {
                CK_ULONG count = 0;
                world.p11->C_GetSlotList(CK_TRUE, nullptr, &count);
            }
        });
    int wrong = 0;
    for (int i = 0; i < 20; ++i)
        wrong += in_child([&] {
            ::alarm(10);
            CK_INFO info{};
            return world.p11->C_GetInfo(&info) == CKR_CRYPTOKI_NOT_INITIALIZED &&
                   world.p11->C_Initialize(nullptr) == CKR_OK &&
                   world.p11->C_GetInfo(&info) == CKR_OK &&
                   world.p11->C_Finalize(nullptr) == CKR_OK;
        });
    over = true;
    for (std::thread &thread : threads)
        thread.join();
    CHECK_EQUAL(wrong, 0);
}

void sixteen_threads_sign_in_sessions_of_their_own_and_in_one_together() {
    Pkcs11World world;
    const CK_SESSION_HANDLE together = world.open_logged_in();
    const CK_OBJECT_HANDLE key = world.object(together, CKO_PRIVATE_KEY, "demail-auth");
    std::atomic<int> good = 0, wrong = 0;
    std::vector<std::thread> threads;
    for (int number = 0; number < 16; ++number)
        threads.emplace_back([&, number] {
            try {
                const CK_SESSION_HANDLE own = world.open();
                for (int i = 0; i < 5; ++i) {
                    if (world.sign(own, sha256_rsa, key, std::to_string(number)).size() == 256)
                        ++good;
                    static_cast<void>(world.objects(own, {}));
                    static_cast<void>(world.token());
                    // Whatever comes of it with the others at the same session: no crash, no race.
                    static_cast<void>(world.sign(together, sha256_rsa, key, "text"));
                }
                CHECK_OK(world.p11->C_CloseSession(own));
            } catch (...) {
                ++wrong;
            }
        });
    for (std::thread &thread : threads)
        thread.join();
    CHECK_EQUAL(wrong.load(), 0);
    CHECK_EQUAL(good.load(), 80);
}

void a_restart_of_the_daemon_is_not_noticed() {
    Pkcs11World world;
    const CK_SESSION_HANDLE session = world.open_logged_in();
    const CK_OBJECT_HANDLE key = world.object(session, CKO_PRIVATE_KEY, "demail-auth");
    world.daemon().stop();
    std::thread restart([&] {
        std::this_thread::sleep_for(300ms);
        world.daemon().start();
    });
    const std::string signature = world.sign(session, sha256_rsa, key, "text");
    restart.join();
    CHECK_EQUAL(signature.size(), 256U);
    CHECK_EQUAL(world.object(session, CKO_PRIVATE_KEY, "demail-auth"), key);
}

void a_daemon_that_has_not_seen_the_card_yet_is_waited_for() {
    Pkcs11World world;
    const CK_SESSION_HANDLE session = world.open_logged_in();
    const CK_OBJECT_HANDLE key = world.object(session, CKO_PRIVATE_KEY, "demail-auth");
    world.card.change([](wire::Token &token) { token.serial = "another"; });
    std::thread finder([&] {
        std::this_thread::sleep_for(300ms);
        world.card.change([](wire::Token &token) { token.serial = CardDouble::serial; });
    });
    const auto begin = std::chrono::steady_clock::now();
    const std::string signature = world.sign(session, sha256_rsa, key, "text");
    finder.join();
    CHECK_EQUAL(signature.size(), 256U);
    CHECK(std::chrono::steady_clock::now() - begin < 5s);
}

void one_symbol_is_seen_from_outside() {
    static_cast<void>(module_functions());
    void *library = ::dlopen(module_file().c_str(), RTLD_NOW | RTLD_NOLOAD);
    CHECK(library != nullptr);
    const auto owned = [&](const char *name) {
        void *symbol = ::dlsym(library, name);
        Dl_info info{};
        return symbol != nullptr && ::dladdr(symbol, &info) != 0 &&
               std::string(info.dli_fname) == module_file();
    };
    CHECK(owned("C_GetFunctionList"));
    for (const char *name : {"C_Initialize", "C_Sign", "_ZN6demail6SecretD1Ev",
                             "_ZN6demail4wire13parse_requestESt17basic_string_viewIcSt11char_"
                             "traitsIcEE"})
        CHECK(!owned(name));
    ::dlclose(library);
}

void the_function_list_is_complete_and_of_version_2_40() {
    const CK_FUNCTION_LIST *list = module_functions();
    CHECK_EQUAL(int(list->version.major), 2);
    CHECK_EQUAL(int(list->version.minor), 40);
    const auto *functions = reinterpret_cast<void *const *>(&list->C_Initialize);
    const auto count = static_cast<std::size_t>(
        reinterpret_cast<void *const *>(&list->C_WaitForSlotEvent) - functions + 1);
    CHECK_EQUAL(count, 68U);
    for (std::size_t i = 0; i < count; ++i)
        CHECK(functions[i] != nullptr);
}

} // namespace

int main() {
    return demail::test::run(
        "pkcs11 process",
        {TEST(before_initialisation_nothing_works),
         TEST(initialisation_takes_what_the_standard_allows),
         TEST(every_missing_pointer_is_told_by_its_name), TEST(no_session_is_taken_for_another),
         TEST(a_child_begins_anew_and_the_parent_goes_on),
         TEST(a_fork_amid_calls_of_other_threads_leaves_no_lock_behind),
         TEST(sixteen_threads_sign_in_sessions_of_their_own_and_in_one_together),
         TEST(a_restart_of_the_daemon_is_not_noticed),
         TEST(a_daemon_that_has_not_seen_the_card_yet_is_waited_for),
         TEST(one_symbol_is_seen_from_outside),
         TEST(the_function_list_is_complete_and_of_version_2_40)});
}
