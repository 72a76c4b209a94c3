// A private key of a token: found again after the card was away, used with whatever mechanism the
// token has. Thread-safe.
#pragma once

#include "crypto/signing_key.hpp"
#include "crypto/token_session.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <string>

namespace demail::crypto {

/// Names one private key on its token.
struct KeyName {
    std::optional<std::string> label, id;
};

/// The one private key of that name. Throws CkError, or TokenUnavailable when there is none or more
/// than one.
[[nodiscard]] CK_OBJECT_HANDLE find_private_key(OpenToken &token, const KeyName &name);

class KeyOnToken final : public SigningKey, public std::enable_shared_from_this<KeyOnToken> {
  public:
    /// `bits`: of the modulus, or of the order of the curve's group. Lives in a shared_ptr: a
    /// signature that is overdue still needs it. `can_pss`: whether an RSA key is worth trying with
    /// RSA-PSS.
    KeyOnToken(std::shared_ptr<TokenSession> session, KeyName name, std::size_t bits,
               std::chrono::milliseconds deadline, bool can_pss)
        : session_(std::move(session)), name_(std::move(name)), bits_(bits), deadline_(deadline),
          can_pss_(can_pss) {}

    std::string sign(const SignatureForm &form, std::string digest) override;
    /// As of the token's list of mechanisms, or of its last refusal.
    [[nodiscard]] bool can_pss() const noexcept { return can_pss_; }

  private:
    std::string sign_now(OpenToken &token, const SignatureForm &form, const std::string &digest);
    std::string sign_on(OpenToken &token, const SignatureForm &form, const std::string &digest);
    std::string sign_pkcs1(OpenToken &token, const std::string &text);
    std::string sign_pss(OpenToken &token, const SignatureForm &form, const std::string &digest);
    std::string sign_raw_rsa(OpenToken &token, const std::string &block);
    std::string run(OpenToken &token, CK_MECHANISM_TYPE type, const std::string &input);

    const std::shared_ptr<TokenSession> session_;
    const KeyName name_;
    const std::size_t bits_;
    const std::chrono::milliseconds deadline_;
    // Only on the session's thread:
    CK_OBJECT_HANDLE handle_ = CK_INVALID_HANDLE;
    unsigned generation_ = 0; ///< of handle_
    bool always_authenticate_ = false;
    bool pss_is_refused_ = false;

    std::atomic<bool> can_pss_ = true;
};

} // namespace demail::crypto
