// A session of the module in which the card's keys can be used.
#pragma once

#include "pkcs11_world.hpp"

#include <string>

namespace demail::test {

inline const std::string text = "Sehr geehrte Damen und Herren";

inline CK_MECHANISM plain(CK_MECHANISM_TYPE type) {
    return {type, nullptr, 0};
}

/// Logged in, with the card's keys.
struct Session {
    Pkcs11World world;
    CK_FUNCTION_LIST *const p11 = world.p11;
    const CK_SESSION_HANDLE handle = world.open_logged_in();
    const CK_OBJECT_HANDLE key = world.object(handle, CKO_PRIVATE_KEY, "demail-auth");
    const CK_OBJECT_HANDLE public_key = world.object(handle, CKO_PUBLIC_KEY, "demail-auth");
    const CK_OBJECT_HANDLE enc_key = world.object(handle, CKO_PRIVATE_KEY, "demail-enc");
};

} // namespace demail::test
