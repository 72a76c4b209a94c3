// A private key on any PKCS#11 token as OpenSSL uses it: an EVP_PKEY that lives in our built-in
// OpenSSL 3 provider (OSSL_PROVIDER_add_builtin) and signs by C_Sign.
#pragma once

#include "base/handle.hpp"
#include "crypto/key_uri.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace demail::crypto {

/// Why the token did not sign or could not be opened. `what()` is a sentence for the administrator.
class TokenUnavailable : public std::runtime_error {
  public:
    enum class Reason {
        module,
        absent,
        locked,
        pin_refused,
        no_key,
        no_certificate,
        no_answer, ///< by the deadline
        failed
    };
    TokenUnavailable(Reason reason, const std::string &sentence)
        : std::runtime_error(sentence), reason_(reason) {}
    [[nodiscard]] Reason reason() const noexcept { return reason_; }

  private:
    Reason reason_;
};

/// How long a token may take for a signature, with all that it needs: a new login after the card
/// was out, for example.
constexpr std::chrono::milliseconds default_deadline = std::chrono::seconds(30);

/// The key with its certificate. Thread-safe: signatures of several threads wait for each other. A
/// card that was pulled and came back is found again at the next signature (re-login, re-find, one
/// retry). A refused PIN is tried once and then never again by this process, whatever key is opened
/// (CKF_USER_PIN_FINAL_TRY and LOCKED are looked at first); nor by the next process where the token
/// says that a wrong one has come (CKF_USER_PIN_COUNT_LOW), or where the note of the refusal is on
/// disk. A token that does not answer by the deadline fails the signature (Reason::no_answer), and
/// each further one at once until it answers.
class TokenKey {
  public:
    /// Opens module and token, logs in, finds key and certificate (choice by use:
    /// certificate_choice.hpp when the URI leaves it open). Keys of one module share its
    /// C_Initialize and one session per token. `deadline`: for each signature, and for each step of
    /// opening. `refused_pins`: a directory for notes of refused PINs, made when needed; "": none.
    /// Throws TokenUnavailable.
    static std::shared_ptr<TokenKey> open(const KeyUri &uri,
                                          std::chrono::milliseconds deadline = default_deadline,
                                          const std::string &refused_pins = {});
    virtual ~TokenKey() = default;

    /// Usable with SSL_CTX_use_PrivateKey and EVP_DigestSign while this object lives.
    [[nodiscard]] virtual EVP_PKEY *pkey() const noexcept = 0;
    [[nodiscard]] virtual X509 *certificate() const noexcept = 0;
    /// CA certificates found on the token that lead from certificate() upwards, nearest first; for
    /// the TLS chain.
    [[nodiscard]] virtual const std::vector<Handle<X509, X509_free>> &chain() const noexcept = 0;
    /// false: an RSA key that the token signs with by PKCS#1 v1.5 alone, which TLS 1.3 has no use
    /// for (RFC 8446 4.2.3). May turn false at a signature: some tokens list what they refuse.
    [[nodiscard]] virtual bool can_pss() const noexcept { return true; }
    /// What the last signature of the calling thread failed with, if it failed for a reason of the
    /// token's; cleared by asking. OpenSSL itself says only "failed".
    [[nodiscard]] virtual std::optional<TokenUnavailable> take_fault() const = 0;
};

} // namespace demail::crypto
