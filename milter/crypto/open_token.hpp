// One token with one open session: what may be asked of it. Not thread-safe; TokenSession uses it
// on a thread of its own. Throws CkError when a PKCS#11 call fails and TokenUnavailable for all
// else.
#pragma once

#include "crypto/ck_result.hpp"
#include "crypto/key_uri.hpp"
#include "crypto/module.hpp"
#include "crypto/pin.hpp"

#include <openssl/x509.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace demail::crypto {

/// What a token says of itself, blanks at the end dropped. It is the same token again when all of
/// it is the same, in whatever slot.
struct TokenIdentity {
    std::string label, serial, manufacturer, model;

    [[nodiscard]] auto tied() const { return std::tie(label, serial, manufacturer, model); }
    bool operator==(const TokenIdentity &other) const { return tied() == other.tied(); }
    bool operator<(const TokenIdentity &other) const { return tied() < other.tied(); }
};

struct PresentToken {
    CK_SLOT_ID slot;
    TokenIdentity identity;
    CK_FLAGS flags;
};

/// The initialised tokens that are there now.
[[nodiscard]] std::vector<PresentToken> present_tokens(const Module &module);

struct TokenCertificate {
    std::string label, id;
    Handle<X509, X509_free> certificate;
};

/// Set once the token has refused a PIN, for the life of the process: three wrong PINs lock a card
/// for good, and nothing that retries may ever come that far. What the next process must know is
/// on disk (refused_pins.hpp).
struct PinLatch {
    std::optional<TokenUnavailable> refusal;
};

class OpenToken {
  public:
    OpenToken(std::shared_ptr<Module> module, TokenIdentity identity,
              std::shared_ptr<PinLatch> latch);
    ~OpenToken();
    OpenToken(const OpenToken &) = delete;
    OpenToken &operator=(const OpenToken &) = delete;

    [[nodiscard]] const TokenIdentity &identity() const noexcept { return identity_; }
    [[nodiscard]] bool is_open() const noexcept { return session_ != CK_INVALID_HANDLE; }
    /// Counts the sessions so far: an object handle lives as long as this stays the same.
    [[nodiscard]] unsigned generation() const noexcept { return generation_; }
    /// Finds the token again in whatever slot, opens a session, logs in. `pin`: its file is read
    /// when a PIN is needed and none has been accepted yet.
    void reopen(const PinSource &pin);

    [[nodiscard]] bool has_mechanism(CK_MECHANISM_TYPE mechanism) const {
        return mechanisms_.count(mechanism) != 0;
    }
    [[nodiscard]] std::vector<CK_OBJECT_HANDLE> find(CK_OBJECT_CLASS kind,
                                                     const std::optional<std::string> &label,
                                                     const std::optional<std::string> &id);
    /// nullopt when the object does not have it or keeps it to itself.
    [[nodiscard]] std::optional<std::string> attribute(CK_OBJECT_HANDLE object,
                                                       CK_ATTRIBUTE_TYPE type);
    /// The X.509 certificates that can be read; others are skipped.
    [[nodiscard]] std::vector<TokenCertificate> certificates();
    /// C_SignInit and C_Sign. `always_authenticate`: CKA_ALWAYS_AUTHENTICATE of the key.
    [[nodiscard]] std::string sign(CK_MECHANISM &mechanism, CK_OBJECT_HANDLE key,
                                   bool always_authenticate, const std::string &input);

  private:
    void close() noexcept;
    void log_in(CK_FLAGS token_flags);
    void respect_flags(CK_FLAGS token_flags) const;
    [[nodiscard]] bool is_logged_in();
    CK_RV offer_pin(CK_USER_TYPE user);
    CK_RV offer_pin_of_file(CK_USER_TYPE user);
    void latch_if_refused(CK_RV login_result);
    [[nodiscard]] std::string remember_refusal() const;
    void read_mechanisms(CK_SLOT_ID slot);

    std::shared_ptr<Module> module_;
    TokenIdentity identity_;
    std::shared_ptr<PinLatch> latch_;
    PinSource pin_;
    std::optional<Pin> accepted_pin_;
    std::string offered_;          ///< origin of the PIN that was offered last
    bool pin_is_doubtful_ = false; ///< the last C_Login failed, and not by refusing it
    CK_SESSION_HANDLE session_ = CK_INVALID_HANDLE;
    bool has_pin_pad_ = false; ///< CKF_PROTECTED_AUTHENTICATION_PATH
    bool needs_login_ = false; ///< CKF_LOGIN_REQUIRED
    unsigned generation_ = 0;
    std::set<CK_MECHANISM_TYPE> mechanisms_;
};

} // namespace demail::crypto
