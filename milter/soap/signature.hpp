// The XML signature of a request (XMLDSig, RFC 9231), made with a token key.
#pragma once

#include "crypto/token_key.hpp"
#include "soap/provider.hpp"

#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace demail::soap {

/// One signed part: its wsu:Id and the SHA-256 of its exclusive C14N (32 bytes); or a Content-ID
/// and the digest of that MIME part's bytes (WSS SwA Profile 1.1 5.4.4).
struct SignedPart {
    std::string_view id;
    std::string digest;
    bool attachment = false;
};

/// A ds:Signature over the parts, as exclusive C14N writes it, whose KeyInfo names the
/// BinarySecurityToken with the Id `token_id`. rsa-sha256 (or RSA-PSS) or ecdsa-sha256/384/512 by
/// the key's size. One operation of the token. Thread-safe as the key is.
[[nodiscard]] std::variant<std::string, TokenFault>
write_signature(std::span<const SignedPart> parts, std::string_view token_id,
                const crypto::TokenKey &key, bool rsa_pss);

} // namespace demail::soap
