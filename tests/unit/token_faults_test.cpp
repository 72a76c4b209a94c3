// Every error at every call that the room makes: a sentence or a signature, never a crash, a hang
// or a second try of a PIN.
#include "check.hpp"
#include "shim_token.hpp"

using demail::crypto::TokenKey;
using demail::crypto::TokenUnavailable;
using namespace demail::test;

namespace {

constexpr std::chrono::seconds deadline{20};

constexpr const char *functions[] = {"C_Initialize",
                                     "C_GetSlotList",
                                     "C_GetTokenInfo",
                                     "C_OpenSession",
                                     "C_GetSessionInfo",
                                     "C_Login",
                                     "C_GetMechanismList",
                                     "C_FindObjectsInit",
                                     "C_FindObjects",
                                     "C_FindObjectsFinal",
                                     "C_GetAttributeValue",
                                     "C_SignInit",
                                     "C_Sign",
                                     "C_CloseSession"};

constexpr const char *results[] = {"CKR_CANCEL",
                                   "CKR_HOST_MEMORY",
                                   "CKR_SLOT_ID_INVALID",
                                   "CKR_GENERAL_ERROR",
                                   "CKR_FUNCTION_FAILED",
                                   "CKR_ARGUMENTS_BAD",
                                   "CKR_ATTRIBUTE_SENSITIVE",
                                   "CKR_ATTRIBUTE_TYPE_INVALID",
                                   "CKR_DATA_INVALID",
                                   "CKR_DATA_LEN_RANGE",
                                   "CKR_DEVICE_ERROR",
                                   "CKR_DEVICE_MEMORY",
                                   "CKR_DEVICE_REMOVED",
                                   "CKR_FUNCTION_CANCELED",
                                   "CKR_FUNCTION_NOT_SUPPORTED",
                                   "CKR_KEY_HANDLE_INVALID",
                                   "CKR_KEY_TYPE_INCONSISTENT",
                                   "CKR_KEY_FUNCTION_NOT_PERMITTED",
                                   "CKR_MECHANISM_INVALID",
                                   "CKR_MECHANISM_PARAM_INVALID",
                                   "CKR_OBJECT_HANDLE_INVALID",
                                   "CKR_OPERATION_ACTIVE",
                                   "CKR_OPERATION_NOT_INITIALIZED",
                                   "CKR_PIN_INCORRECT",
                                   "CKR_PIN_INVALID",
                                   "CKR_PIN_LEN_RANGE",
                                   "CKR_PIN_EXPIRED",
                                   "CKR_PIN_LOCKED",
                                   "CKR_SESSION_CLOSED",
                                   "CKR_SESSION_COUNT",
                                   "CKR_SESSION_HANDLE_INVALID",
                                   "CKR_TOKEN_NOT_PRESENT",
                                   "CKR_TOKEN_NOT_RECOGNIZED",
                                   "CKR_USER_ALREADY_LOGGED_IN",
                                   "CKR_USER_NOT_LOGGED_IN",
                                   "CKR_USER_PIN_NOT_INITIALIZED",
                                   "CKR_USER_TYPE_INVALID",
                                   "CKR_USER_ANOTHER_ALREADY_LOGGED_IN",
                                   "CKR_USER_TOO_MANY_TYPES",
                                   "CKR_BUFFER_TOO_SMALL",
                                   "CKR_CRYPTOKI_NOT_INITIALIZED",
                                   "CKR_CRYPTOKI_ALREADY_INITIALIZED",
                                   "CKR_MUTEX_BAD",
                                   "CKR_FUNCTION_REJECTED",
                                   "0x80000815"};

/// Errors after which a person has to act: the same process does not try again by itself.
bool latches(const std::string &function, const std::string &result) {
    return function == "C_Login" &&
           (result.find("CKR_PIN_") == 0 || result == "CKR_USER_PIN_NOT_INITIALIZED");
}

void expect(bool fine, const std::string &what, const std::string &function,
            const std::string &result) {
    if (!fine) throw Failure{function + " giving " + result + ": " + what, __FILE__, __LINE__};
}

template <typename Body>
void for_each_error(Body body) {
    for (const std::string function : functions)
        for (const std::string result : results) {
            try {
                body(function, result, shim_token().fresh_serial());
            } catch (const std::exception &error) {
                expect(false, std::string("unexpected: ") + error.what(), function, result);
            }
        }
    shim_token().control("");
}

bool is_sentence(const TokenUnavailable &fault) {
    const std::string text = fault.what();
    return text.size() > 20 &&
           (text.find("token") != std::string::npos || text.find("module") != std::string::npos);
}

void an_error_while_opening_is_told_and_heals() {
    ShimToken &token = shim_token();
    for_each_error(
        [&](const std::string &function, const std::string &result, const std::string &serial) {
            auto uri = token.uri("EC");
            if (function == "C_Initialize") uri.module_path = token.another_module();
            token.control(serial + "return " + function + " " + result);
            token.forget_calls();
            try {
                const auto key = TokenKey::open(uri, deadline);
            } catch (const TokenUnavailable &fault) {
                expect(is_sentence(fault), fault.what(), function, result);
            }
            expect(token.calls("C_Login") <= 1, "more than one C_Login", function, result);
            token.control(serial);
            if (latches(function, result)) {
                (void)refusal(uri, deadline);
                expect(token.calls("C_Login") == 1, "the PIN was tried again", function, result);
            } else {
                expect(signs(*TokenKey::open(uri, deadline)), "did not heal", function, result);
            }
        });
}

/// After the card was out, so that all calls are made again.
void an_error_while_signing_is_told_and_heals() {
    ShimToken &token = shim_token();
    int card = 0;
    for_each_error(
        [&](const std::string &function, const std::string &result, const std::string &serial) {
            const auto healthy = [&] { return serial + "card " + std::to_string(card) + "\n"; };
            token.control(healthy());
            const auto key = TokenKey::open(token.uri("EC"), deadline);
            expect(signs(*key), "did not sign at first", function, result);
            ++card;
            token.control(healthy() + "return " + function + " " + result);
            token.forget_calls();
            const bool signed_all_the_same = signs(*key);
            const auto fault = key->take_fault();
            expect(signed_all_the_same == !fault, "signed with a fault, or failed without one",
                   function, result);
            if (fault) expect(is_sentence(*fault), fault->what(), function, result);
            expect(token.calls("C_Login") <= 1, "more than one C_Login", function, result);
            token.control(healthy());
            expect(signs(*key) != latches(function, result), "did not heal, or tried again",
                   function, result);
            expect(!latches(function, result) || token.calls("C_Login") == 1,
                   "the PIN was tried again", function, result);
        });
}

void a_single_error_of_a_lost_session_is_not_even_noticed() {
    ShimToken &token = shim_token();
    for (const char *function : {"C_SignInit", "C_Sign"})
        for (const char *result :
             {"CKR_SESSION_HANDLE_INVALID", "CKR_SESSION_CLOSED", "CKR_DEVICE_REMOVED",
              "CKR_TOKEN_NOT_PRESENT", "CKR_DEVICE_ERROR", "CKR_USER_NOT_LOGGED_IN",
              "CKR_KEY_HANDLE_INVALID", "CKR_GENERAL_ERROR", "CKR_CRYPTOKI_NOT_INITIALIZED"}) {
            const std::string serial = token.fresh_serial();
            token.control(serial);
            const auto key = TokenKey::open(token.uri("EC"), deadline);
            token.control(serial + "return " + function + " " + result + " 1");
            expect(signs(*key), "was noticed", function, result);
        }
    token.control("");
}

void openssl_hears_of_no_error_but_ours() {
    ShimToken &token = shim_token();
    const std::string stained = token.fresh_serial() + "stain\n";
    token.control(stained);
    ERR_clear_error();
    const auto key = TokenKey::open(token.uri("EC"), deadline);
    CHECK_EQUAL(ERR_peek_error(), 0UL);
    CHECK(signs(*key));
    CHECK_EQUAL(ERR_peek_error(), 0UL);
    token.control(stained + "return C_GetSlotList CKR_GENERAL_ERROR");
    CHECK_THROWS(TokenKey::open(token.uri("RSA"), deadline), TokenUnavailable);
    CHECK_EQUAL(ERR_peek_error(), 0UL);
    token.control("");
}

} // namespace

int main() {
    (void)shim_token();
    return run("token_faults", {TEST(an_error_while_opening_is_told_and_heals),
                                TEST(an_error_while_signing_is_told_and_heals),
                                TEST(a_single_error_of_a_lost_session_is_not_even_noticed),
                                TEST(openssl_hears_of_no_error_but_ours)});
}
