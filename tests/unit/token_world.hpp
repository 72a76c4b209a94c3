// One SoftHSM token "firm" with keys of every kind that De-Mail cards have, and what tests do with
// them.
#pragma once

#include "crypto/key_uri.hpp"
#include "soft_token.hpp"

#include <string>
#include <string_view>

namespace demail::test {

struct TokenWorld {
    TokenWorld();

    /// A URI for this object of token "firm"; "" leaves the object open.
    [[nodiscard]] crypto::KeyUri uri(const std::string &object) const;

    SoftTokens tokens;
    std::string pin_file;
    Certificate root, middle; ///< middle signed the certificates of the keys; both on the token
};

/// Made at the first call, gone at the end of the process.
TokenWorld &token_world();

/// The kinds of TokenWorld's keys; each is also the label of key and certificate.
constexpr const char *key_kinds[] = {"RSA", "P-256", "P-384", "P-521", "brainpoolP256r1"};

struct Pss {
    bool wanted = false;
    int salt = -1; ///< RSA_PSS_SALTLEN_DIGEST
};

constexpr std::string_view signed_text = "Sehr geehrte Damen und Herren";

/// EVP_DigestSign over signed_text; "" when it fails.
[[nodiscard]] std::string sign_text(EVP_PKEY *key, const char *digest, Pss pss = {});
/// Checked in software with the public key.
[[nodiscard]] bool text_verifies(X509 *certificate, const std::string &signature,
                                 const char *digest, Pss pss = {});

} // namespace demail::test
