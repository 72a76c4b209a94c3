// The shim (tests/shim) in front of a SoftHSM token, and what it wrote down.
#pragma once

#include "crypto/key_uri.hpp"
#include "crypto/token_key.hpp"
#include "soft_token.hpp"

#include <openssl/err.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace demail::test {

class ShimToken {
  public:
    /// Token "firm" with keys "EC" and "RSA", PIN 123456.
    ShimToken();

    /// From the next call on, the token does this (tests/shim/pkcs11-shim.cpp) and no longer what
    /// was said before.
    void control(const std::string &lines);
    /// How often the function was called since forget_calls().
    [[nodiscard]] int calls(const std::string &function) const;
    void forget_calls();

    /// `object` "": open. A token that calls itself by another serial number is another one,
    /// without a latch of its own: fresh_serial() gives the line for one that no test has used.
    [[nodiscard]] crypto::KeyUri uri(const std::string &object) const;
    [[nodiscard]] std::string fresh_serial();
    /// Another name of the module, under which it is loaded and initialised anew.
    [[nodiscard]] std::string another_module();

    SoftTokens tokens;
    std::string pin_file;

  private:
    std::string control_file_, log_file_, module_;
    int version_ = 0, serials_ = 0, modules_ = 0;
};

/// Made at the first call, gone at the end of the process.
ShimToken &shim_token();

/// Does the key sign now, and correctly?
[[nodiscard]] bool signs(const crypto::TokenKey &key);
/// What opening fails with; a Failure when it does not fail.
[[nodiscard]] crypto::TokenUnavailable refusal(const crypto::KeyUri &uri,
                                               std::chrono::milliseconds deadline);

} // namespace demail::test
