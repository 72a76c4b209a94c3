// Checks the WS-Security signature of a reply (contracts.md, "The reference service").
#pragma once

#include "base/instant.hpp"
#include "soap/attachment.hpp"
#include "soap/document.hpp"
#include "soap/signers.hpp"

#include <optional>
#include <span>
#include <string>

namespace demail::soap {

/// Checks the one Signature in `security`, made by the certificate in its one BinarySecurityToken,
/// which must be one of `signers` and be valid at `now`. Each node of `must_be_signed` must be
/// among what the signature refers to; it is the nodes that are compared, so that a signed copy
/// elsewhere in the document does not count (signature wrapping). A string is the fault.
/// Content that came with the reply is taken in as `attachment` says. Thread-safe for different
/// documents.
[[nodiscard]] std::optional<std::string> check_signature(const xmlNode *security,
                                                         std::span<xmlNode *const> must_be_signed,
                                                         const Signers &signers, Instant now,
                                                         const Attachment *attachment = nullptr);

} // namespace demail::soap
