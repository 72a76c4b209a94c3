// The built PKCS#11 module, loaded as programs load it, with a card double behind it.
#pragma once

#include "card_double.hpp"
#include "scripted_daemon.hpp"

#include <p11-kit/pkcs11.h>

#include <string>
#include <vector>

namespace demail::test {

/// CK_RV by name, so that a failed check can be read.
[[nodiscard]] std::string rv_name(CK_RV rv);

/// The module's file and its functions; stays loaded.
[[nodiscard]] const std::string &module_file();
[[nodiscard]] CK_FUNCTION_LIST *module_functions();

/// A daemon with a card, the module initialised. One at a time.
class Pkcs11World {
  public:
    static constexpr CK_SLOT_ID slot = 5;

    Pkcs11World();
    ~Pkcs11World();
    Pkcs11World(const Pkcs11World &) = delete;
    Pkcs11World &operator=(const Pkcs11World &) = delete;

    CardDouble card;
    CK_FUNCTION_LIST *const p11 = module_functions();

    [[nodiscard]] ScriptedDaemon &daemon() noexcept { return daemon_; }
    [[nodiscard]] CK_SESSION_HANDLE open(CK_FLAGS flags = CKF_SERIAL_SESSION) const;
    /// With the daemon holding the PIN.
    [[nodiscard]] CK_SESSION_HANDLE open_logged_in();
    [[nodiscard]] std::vector<CK_OBJECT_HANDLE> objects(CK_SESSION_HANDLE session,
                                                        std::vector<CK_ATTRIBUTE> pattern) const;
    /// The one object of that class and label.
    [[nodiscard]] CK_OBJECT_HANDLE object(CK_SESSION_HANDLE session, CK_OBJECT_CLASS type,
                                          const std::string &label) const;
    [[nodiscard]] std::string attribute(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                        CK_ATTRIBUTE_TYPE type) const;
    [[nodiscard]] CK_TOKEN_INFO token() const;
    /// C_SignInit and C_Sign; the CK_RV's name instead of a signature when it fails.
    [[nodiscard]] std::string sign(CK_SESSION_HANDLE session, CK_MECHANISM mechanism,
                                   CK_OBJECT_HANDLE key, std::string data) const;

  private:
    TemporaryDirectory directory_;
    ScriptedDaemon daemon_;
};

[[nodiscard]] inline CK_BYTE *bytes_of(std::string &text) {
    return reinterpret_cast<CK_BYTE *>(text.data());
}

} // namespace demail::test

#define CHECK_RV(expression, expected)                                                             \
    CHECK_EQUAL(::demail::test::rv_name(expression), ::demail::test::rv_name(expected))
#define CHECK_OK(expression) CHECK_RV(expression, CKR_OK)
