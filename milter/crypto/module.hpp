// A PKCS#11 module (OASIS PKCS#11 2.40): loaded and initialised once per process and path, shared
// by all, and never unloaded: libcurl may hold a key of it in an SSL_CTX until the very end.
// Thread-safe (the module is told so by CKF_OS_LOCKING_OK).
#pragma once

#include "crypto/token_key.hpp"
#include "crypto/token_thread.hpp"

#include <p11-kit/pkcs11.h>

#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace demail::crypto {

class Module {
  public:
    /// Loads the shared object and calls C_Initialize, both by `deadline`. Throws TokenUnavailable
    /// (Reason::module).
    static std::shared_ptr<Module> load(const std::string &path,
                                        std::chrono::milliseconds deadline = default_deadline);
    /// Puts a function list under a name that load() then finds: how tests break a token.
    static std::shared_ptr<Module> adopt(const std::string &path, CK_FUNCTION_LIST *functions);

    explicit Module(std::string path, CK_FUNCTION_LIST *functions = nullptr);

    CK_FUNCTION_LIST *operator->() const noexcept { return functions_; }
    [[nodiscard]] const std::string &path() const noexcept { return path_; }
    /// C_Initialize; harmless when the module is initialised already. Throws TokenUnavailable.
    void initialise();
    /// Held while slots and tokens are listed: SoftHSM 2.6.1 calls gmtime() in C_GetTokenInfo, so
    /// that CKF_OS_LOCKING_OK is a promise only kept for the rest.
    [[nodiscard]] std::mutex &listing() const noexcept { return listing_; }

    /// Does `work(Module &)` on the module's thread and gives what it returns or throws;
    /// TokenUnavailable when it does not return by the deadline. `work` outlives the wait then: it
    /// holds no reference to anything of the caller's.
    template <typename Work>
    static auto run(const std::shared_ptr<Module> &module, std::chrono::milliseconds deadline,
                    Work work) {
        return answer_of(
            module->thread_, deadline,
            [module, work = std::move(work)]() mutable { return work(*module); },
            [&] { return module->no_answer(); });
    }

  private:
    void start();
    void initialise(CK_FUNCTION_LIST *functions);
    [[nodiscard]] TokenUnavailable no_answer() const;

    std::string path_;
    CK_FUNCTION_LIST *functions_; ///< nullptr until start(); then only read
    TokenThread thread_;
    mutable std::mutex listing_;
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
