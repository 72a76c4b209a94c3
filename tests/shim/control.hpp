// What the shim's control file says (the lines are described in pkcs11-shim.cpp).
#pragma once

#include <p11-kit/pkcs11.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace demail::shim {

struct Return {
    std::string function;
    CK_RV result = CKR_OK;
    std::optional<unsigned> times;
    std::string line; ///< the count's name
};

struct Control {
    std::string text;
    std::vector<Return> returns;
    std::vector<CK_MECHANISM_TYPE> hidden, refused;
    std::chrono::milliseconds delay{0};
    std::chrono::seconds hang{0};
    std::string hanging = "C_Sign";
    bool pulled = false, stain = false;
    std::string card, serial;
    CK_FLAGS more_flags = 0, fewer_flags = 0;
};

/// The CKR_ name, or a number.
[[nodiscard]] std::string text_of(CK_RV result);
/// Reads DEMAIL_SHIM_CONTROL as it is now; a line that is none ends the process, since a test that
/// asks for what is not there must not pass.
[[nodiscard]] Control read_control();

} // namespace demail::shim
