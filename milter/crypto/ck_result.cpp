#include "crypto/ck_result.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace demail::crypto {
namespace {

using Reason = TokenUnavailable::Reason;

struct Name {
    CK_RV result;
    const char *text;
};

constexpr Name names[] = {
    {CKR_OK, "CKR_OK"},
    {CKR_HOST_MEMORY, "CKR_HOST_MEMORY"},
    {CKR_SLOT_ID_INVALID, "CKR_SLOT_ID_INVALID"},
    {CKR_GENERAL_ERROR, "CKR_GENERAL_ERROR"},
    {CKR_FUNCTION_FAILED, "CKR_FUNCTION_FAILED"},
    {CKR_ARGUMENTS_BAD, "CKR_ARGUMENTS_BAD"},
    {CKR_ATTRIBUTE_SENSITIVE, "CKR_ATTRIBUTE_SENSITIVE"},
    {CKR_ATTRIBUTE_TYPE_INVALID, "CKR_ATTRIBUTE_TYPE_INVALID"},
    {CKR_DATA_INVALID, "CKR_DATA_INVALID"},
    {CKR_DATA_LEN_RANGE, "CKR_DATA_LEN_RANGE"},
    {CKR_DEVICE_ERROR, "CKR_DEVICE_ERROR"},
    {CKR_DEVICE_MEMORY, "CKR_DEVICE_MEMORY"},
    {CKR_DEVICE_REMOVED, "CKR_DEVICE_REMOVED"},
    {CKR_FUNCTION_CANCELED, "CKR_FUNCTION_CANCELED"},
    {CKR_FUNCTION_NOT_SUPPORTED, "CKR_FUNCTION_NOT_SUPPORTED"},
    {CKR_KEY_HANDLE_INVALID, "CKR_KEY_HANDLE_INVALID"},
    {CKR_KEY_TYPE_INCONSISTENT, "CKR_KEY_TYPE_INCONSISTENT"},
    {CKR_KEY_FUNCTION_NOT_PERMITTED, "CKR_KEY_FUNCTION_NOT_PERMITTED"},
    {CKR_MECHANISM_INVALID, "CKR_MECHANISM_INVALID"},
    {CKR_MECHANISM_PARAM_INVALID, "CKR_MECHANISM_PARAM_INVALID"},
    {CKR_OBJECT_HANDLE_INVALID, "CKR_OBJECT_HANDLE_INVALID"},
    {CKR_OPERATION_ACTIVE, "CKR_OPERATION_ACTIVE"},
    {CKR_OPERATION_NOT_INITIALIZED, "CKR_OPERATION_NOT_INITIALIZED"},
    {CKR_PIN_INCORRECT, "CKR_PIN_INCORRECT"},
    {CKR_PIN_INVALID, "CKR_PIN_INVALID"},
    {CKR_PIN_LEN_RANGE, "CKR_PIN_LEN_RANGE"},
    {CKR_PIN_EXPIRED, "CKR_PIN_EXPIRED"},
    {CKR_PIN_LOCKED, "CKR_PIN_LOCKED"},
    {CKR_SESSION_CLOSED, "CKR_SESSION_CLOSED"},
    {CKR_SESSION_COUNT, "CKR_SESSION_COUNT"},
    {CKR_SESSION_HANDLE_INVALID, "CKR_SESSION_HANDLE_INVALID"},
    {CKR_TOKEN_NOT_PRESENT, "CKR_TOKEN_NOT_PRESENT"},
    {CKR_TOKEN_NOT_RECOGNIZED, "CKR_TOKEN_NOT_RECOGNIZED"},
    {CKR_USER_ALREADY_LOGGED_IN, "CKR_USER_ALREADY_LOGGED_IN"},
    {CKR_USER_NOT_LOGGED_IN, "CKR_USER_NOT_LOGGED_IN"},
    {CKR_USER_PIN_NOT_INITIALIZED, "CKR_USER_PIN_NOT_INITIALIZED"},
    {CKR_USER_ANOTHER_ALREADY_LOGGED_IN, "CKR_USER_ANOTHER_ALREADY_LOGGED_IN"},
    {CKR_BUFFER_TOO_SMALL, "CKR_BUFFER_TOO_SMALL"},
    {CKR_CRYPTOKI_NOT_INITIALIZED, "CKR_CRYPTOKI_NOT_INITIALIZED"},
    {CKR_CRYPTOKI_ALREADY_INITIALIZED, "CKR_CRYPTOKI_ALREADY_INITIALIZED"},
};

template <std::size_t N>
bool is_one_of(CK_RV result, const CK_RV (&set)[N]) {
    return std::find(set, set + N, result) != set + N;
}

} // namespace

std::string ck_name(CK_RV result) {
    for (const Name &name : names)
        if (name.result == result) return name.text;
    return fmt::format("0x{:08x}", result);
}

bool cured_by_reopening(CK_RV result) noexcept {
    // OPERATION_ACTIVE and the two general ones are what modules say after a card was reset in the
    // middle of an operation; a fresh session starts clean.
    static constexpr CK_RV set[] = {
        CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED,           CKR_DEVICE_REMOVED,
        CKR_TOKEN_NOT_PRESENT,      CKR_TOKEN_NOT_RECOGNIZED,     CKR_DEVICE_ERROR,
        CKR_USER_NOT_LOGGED_IN,     CKR_KEY_HANDLE_INVALID,       CKR_OBJECT_HANDLE_INVALID,
        CKR_SLOT_ID_INVALID,        CKR_OPERATION_ACTIVE,         CKR_OPERATION_NOT_INITIALIZED,
        CKR_GENERAL_ERROR,          CKR_CRYPTOKI_NOT_INITIALIZED, CKR_FUNCTION_FAILED};
    return is_one_of(result, set);
}

bool refuses_pin(CK_RV result) noexcept {
    static constexpr CK_RV set[] = {CKR_PIN_INCORRECT, CKR_PIN_INVALID,
                                    CKR_PIN_LEN_RANGE, CKR_PIN_EXPIRED,
                                    CKR_PIN_LOCKED,    CKR_USER_PIN_NOT_INITIALIZED};
    return is_one_of(result, set);
}

TokenUnavailable explain(const CkError &error, const std::string &token_label) {
    const auto sentence = [&](const char *what) {
        return fmt::format("token \"{}\" {} ({} gave {})", token_label, what, error.function,
                           ck_name(error.result));
    };
    switch (error.result) {
    case CKR_DEVICE_REMOVED:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_TOKEN_NOT_RECOGNIZED:
    case CKR_SLOT_ID_INVALID:
        return {Reason::absent, sentence("is not there")};
    case CKR_USER_NOT_LOGGED_IN:
        return {Reason::locked, sentence("is locked and must be unlocked")};
    case CKR_PIN_LOCKED:
        return {Reason::locked, sentence("is locked by too many wrong PINs")};
    case CKR_USER_PIN_NOT_INITIALIZED:
        return {Reason::locked, sentence("has no PIN yet")};
    case CKR_PIN_EXPIRED:
    case CKR_PIN_INCORRECT:
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
        return {Reason::pin_refused, sentence("has refused the PIN")};
    case CKR_KEY_HANDLE_INVALID:
    case CKR_OBJECT_HANDLE_INVALID:
        return {Reason::no_key, sentence("has lost the key")};
    default:
        return {Reason::failed, sentence("has failed")};
    }
}

} // namespace demail::crypto
