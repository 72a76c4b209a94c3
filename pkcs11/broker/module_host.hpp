// The child's side of the back end `module`: loads a PKCS#11 module and answers requests of the
// wire for one token of it. Whatever the module does, it does it here; the daemon can kill it.
#pragma once

#include "base/secret.hpp"
#include "wire/message.hpp"

#include <p11-kit/pkcs11.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace demail::broker {

class ModuleHost {
  public:
    /// Throws std::runtime_error where the module cannot be loaded or initialised.
    explicit ModuleHost(const std::string &path);

    /// ListTokens, ListObjects (which chooses the token and opens a session), PinStatus, Login,
    /// ChangePin, UnblockPin, Sign, Decrypt. `rv` is what the module said.
    [[nodiscard]] wire::Reply answer(const wire::Request &request);

  private:
    [[nodiscard]] CK_RV tokens(std::vector<wire::Token> &list);
    [[nodiscard]] CK_RV choose(const std::string &serial);
    [[nodiscard]] wire::Reply objects(const std::string &serial);
    [[nodiscard]] wire::Reply pin_states();
    [[nodiscard]] CK_RV log_in(CK_USER_TYPE user, const Secret &pin);
    [[nodiscard]] CK_RV change(const wire::ChangePin &request);
    [[nodiscard]] CK_RV unblock(const wire::UnblockPin &request);
    [[nodiscard]] wire::Reply sign(const wire::Sign &request);
    [[nodiscard]] wire::Reply decrypt(const wire::Decrypt &request);

    [[nodiscard]] CK_RV find(std::vector<CK_ATTRIBUTE> wanted,
                             std::vector<CK_OBJECT_HANDLE> &found);
    [[nodiscard]] std::optional<std::string> attribute(CK_OBJECT_HANDLE object,
                                                       CK_ATTRIBUTE_TYPE type);
    [[nodiscard]] CK_RV private_key(const std::string &id, CK_OBJECT_HANDLE &key);

    CK_FUNCTION_LIST *functions_ = nullptr;
    CK_SLOT_ID slot_ = 0;
    CK_SESSION_HANDLE session_ = 0;
    bool has_session_ = false;
};

/// The child's whole life: answers what comes over the socket `fd` until its end.
[[nodiscard]] int run_module_host(const std::string &module, int fd);

} // namespace demail::broker
