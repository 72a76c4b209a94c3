// Checks the WS-Security signature of a reply (contracts.md, "The reference service").
#pragma once

#include "base/digest.hpp"
#include "soap/document.hpp"
#include "soap/instant.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace demail::soap {

/// SHA-256 of the DER of the certificates that may sign; two for a change-over.
using Signers = std::vector<Digest256>;

/// Checks the one Signature in `security`, made by the certificate in its one BinarySecurityToken,
/// which must be one of `signers` and valid at `now`. Each node of `must_be_signed` must be among
/// what the signature refers to; it is the nodes that are compared, so that a signed copy elsewhere
/// in the document does not count (signature wrapping). A string is the fault. Thread-safe for
/// different documents.
[[nodiscard]] std::optional<std::string> check_signature(const xmlNode *security,
                                                         std::span<xmlNode *const> must_be_signed,
                                                         const Signers &signers, Instant now);

} // namespace demail::soap
