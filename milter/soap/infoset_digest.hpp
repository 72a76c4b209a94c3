// The digest over a message with content (XOP 1.0 chapter 3): that of the XML infoset, the
// content's base64 text without line breaks in place of xop:Include. The content is read as a
// stream, so that memory does not grow with it.
#pragma once

#include "base/digest.hpp"
#include "base/handle.hpp"

#include <openssl/evp.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace demail::soap {

/// One digest, made or checked: canonical text, content, canonical text. Belongs to one thread at a
/// time. Throws std::runtime_error when libcrypto or the file fails.
class InfosetDigest {
  public:
    explicit InfosetDigest(const EVP_MD *algorithm = sha256_algorithm());

    /// Canonical octets; ends the content, if some was given before.
    void text(std::string_view octets);
    /// Bytes of the content, in pieces of any size.
    void content(std::string_view bytes);
    /// The same from a file. Throws where the file ends before `length` bytes.
    void content(int fd, off_t offset, std::uint64_t length);
    /// A file's octets as they are, as text() has them; throws likewise.
    void file(int fd, off_t offset, std::uint64_t length);
    /// The digest's bytes. The object has done its work.
    [[nodiscard]] std::string finish();

  private:
    void update(std::string_view octets);
    void encode(std::string_view whole_triples);
    void end_content();

    Handle<EVP_MD_CTX, EVP_MD_CTX_free> context_;
    std::string left_; // of the content, fewer than three bytes
    std::string text_; // one piece of base64
};

} // namespace demail::soap
