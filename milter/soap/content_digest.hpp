// How the signature takes a message's content in: providers differ, a profile says. One piece of
// code for requests and for replies.
#pragma once

#include "soap/provider.hpp"

#include <openssl/evp.h>

#include <optional>
#include <string>
#include <string_view>

namespace demail::soap {

enum class ContentDigest {
    infoset,     ///< base64 in place of xop:Include (XOP 1.0 chapter 3): the Body's digest
    xop_include, ///< xop:Include as it stands: no digest is over the content
    swa,         ///< as xop_include, and a Reference of its own to the MIME part's bytes
                 ///< (Attachment-Content-Signature-Transform, WSS SwA Profile 1.1 5.4.4)
};

/// "infoset", "xop-include", "swa"
[[nodiscard]] std::optional<ContentDigest> content_digest_named(std::string_view name);

/// The Body's octets as exclusive C14N writes them, around the content.
struct SignedBody {
    std::string_view head, include, tail;
    const Content *content = nullptr; ///< nullptr: none, and then no xop:Include either
};

struct BodyDigests {
    std::string body;
    std::optional<std::string> attachment; ///< swa with content
};

/// Reads the content as a stream, and at most once. Throws std::runtime_error when libcrypto or the
/// file fails. Thread-safe.
[[nodiscard]] BodyDigests digests_of(const SignedBody &body, ContentDigest how,
                                     const EVP_MD *algorithm = EVP_sha256());

} // namespace demail::soap
