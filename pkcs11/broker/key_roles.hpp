// From key pairs with their certificates to one clean token: which key is demail-auth, demail-sign,
// demail-enc, and which certificates are shown. Pure, thread-safe.
#pragma once

#include "broker/driver.hpp"

#include <openssl/x509.h>

#include <string>
#include <vector>

namespace demail::broker {

enum class KeyRole { authenticate, sign, encipher };

/// A private key that the card has. Its public half is only known by a certificate: without one it
/// is left out.
struct KeyCandidate {
    std::string id;               ///< CKA_ID
    std::string name;             ///< the label where it gets none of ours
    KeyRole role = KeyRole::sign; ///< where the certificate does not say it
    bool whole_digests = true;    ///< can sign SHA-256; else it is no demail-sign
    std::size_t pin = 0, place = 0;
    std::vector<X509 *> certificates; ///< its own, best first; valid ones go before others
};

/// Adds keys and certificates in the candidates' order and chooses the main PIN.
void add_keys(CardFacts &facts, const std::vector<KeyCandidate> &candidates);

} // namespace demail::broker
