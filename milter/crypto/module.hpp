// A PKCS#11 module (OASIS PKCS#11 2.40): loaded and initialised once per process and path, shared
// by all, and never unloaded: libcurl may hold a key of it in an SSL_CTX until the very end.
// Thread-safe (the module is told so by CKF_OS_LOCKING_OK).
#pragma once

#include <p11-kit/pkcs11.h>

#include <memory>
#include <string>

namespace demail::crypto {

class Module {
  public:
    /// Loads the shared object and calls C_Initialize. Throws TokenUnavailable (Reason::module).
    static std::shared_ptr<Module> load(const std::string &path);
    /// Puts a function list under a name that load() then finds: how tests break a token.
    static std::shared_ptr<Module> adopt(const std::string &path, CK_FUNCTION_LIST *functions);
    Module(std::string path, CK_FUNCTION_LIST *functions);

    CK_FUNCTION_LIST *operator->() const noexcept { return functions_; }
    [[nodiscard]] const std::string &path() const noexcept { return path_; }
    /// C_Initialize; harmless when the module is initialised already. Throws TokenUnavailable.
    void initialise();

  private:
    std::string path_;
    CK_FUNCTION_LIST *functions_;
};

/// What a PKCS#11 call left in OpenSSL's error queue is dropped: many modules use libcrypto too,
/// and libssl would take their leavings for its own failure.
class ErrorQueueMark {
  public:
    ErrorQueueMark() noexcept;
    ~ErrorQueueMark();
    ErrorQueueMark(const ErrorQueueMark &) = delete;
    ErrorQueueMark &operator=(const ErrorQueueMark &) = delete;
};

} // namespace demail::crypto
