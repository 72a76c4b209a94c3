// SoftHSM behind a function list of our own, so that a test can count calls and let a token fail
// in the ways that SoftHSM cannot be made to. One per process, since PKCS#11 functions carry no
// context.
#pragma once

#include <p11-kit/pkcs11.h>

#include <string>

namespace demail::test {

struct Breakage {
    int logins = 0;     ///< calls of C_Login
    int signatures = 0; ///< calls of C_Sign
    CK_FLAGS more_token_flags = 0;
    CK_FLAGS fewer_token_flags = 0;
    bool token_pulled = false;       ///< C_GetSlotList shows nothing, sessions give DEVICE_REMOVED
    CK_RV next_sign = CKR_OK;        ///< what the next C_Sign gives in place of a signature
    CK_RV every_sign = CKR_OK;       ///< what each C_Sign gives
    CK_ULONG longest_to_sign = ~0UL; ///< more: CKR_DATA_LEN_RANGE
    CK_RV next_login = CKR_OK;
    CK_MECHANISM_TYPE hidden_mechanism = ~0UL;  ///< not listed, and refused
    CK_MECHANISM_TYPE refused_mechanism = ~0UL; ///< listed, yet refused
    std::string other_serial; ///< what C_GetTokenInfo says in place of the serial number
    std::string last_pin;
    bool no_pin_given = false; ///< C_Login came with a null PIN
};

Breakage &breakage();

/// The name under which Module::load finds it.
constexpr const char *breakable_path = "/breakable.so";
/// Puts it in place; SOFTHSM2_CONF must be set and the tokens be there.
void adopt_breakable_module();
/// SoftHSM itself.
CK_FUNCTION_LIST *real_module();

} // namespace demail::test
