// The request on the wire: SOAP 1.2, WS-Addressing 1.0, WS-Security 1.1 (contracts.md, "The
// reference service").
#pragma once

#include "base/instant.hpp"
#include "crypto/token_key.hpp"
#include "soap/content_digest.hpp"
#include "soap/request.hpp"

#include <string>
#include <variant>

namespace demail::soap {

struct Envelope {
    std::string message_id; ///< urn:uuid:…, to be found in the reply's RelatesTo
    std::string text;       ///< the document; content is an xop:Include of "cid:" + content_id
    std::string content_id; ///< empty without content
};

/// Random: 32 hex digits.
[[nodiscard]] std::string random_name();

/// Writes and signs Body, Timestamp (5 minutes from `now`), To, Action and MessageID. Reads the
/// content once; throws std::runtime_error when that fails. One operation of the token.
[[nodiscard]] std::variant<Envelope, TokenFault>
write_envelope(const RequestBody &body, const std::string &to, const crypto::TokenKey &key,
               bool rsa_pss, Instant now, ContentDigest how = ContentDigest::infoset);

} // namespace demail::soap
