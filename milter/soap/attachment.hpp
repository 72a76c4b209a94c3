// The content that came beside a reply's envelope, as schema and signature take it in.
#pragma once

#include "soap/content_digest.hpp"
#include "soap/document.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace demail::soap {

/// Puts a mark in the place of the one xop:Include (XOP 1.0 chapter 3): text that the schema takes
/// for base64 and that stands in the canonical octets where the content's base64 belongs. The
/// document must outlive it. Belongs to one thread.
class Attachment {
  public:
    /// `holder`: the element that must hold the xop:Include and nothing else, and whose href must
    /// name `content_id`. A string is the fault. `content` is not owned.
    static std::variant<Attachment, std::string>
    find(xmlNode *holder, const std::string &content_id, const Content &content, ContentDigest how);

    /// From now on the document is as it came, where the signature is over xop:Include itself.
    void schema_checked();

    /// The digest of an element's canonical octets, with the content where it belongs.
    [[nodiscard]] std::string digest_of(std::string_view octets, const EVP_MD *algorithm) const;
    /// swa: the digest of the part's bytes, where `uri` names it.
    [[nodiscard]] std::optional<std::string> part_digest(std::string_view uri,
                                                         const EVP_MD *algorithm) const;
    [[nodiscard]] bool needs_part_signed() const noexcept { return how_ == ContentDigest::swa; }

  private:
    Attachment(const Content &content, ContentDigest how, std::string content_id);

    const Content *content_;
    ContentDigest how_;
    std::string content_id_, mark_;
    Handle<xmlNode, xmlFreeNode> include_; ///< while the mark stands in its place
    xmlNode *standing_ = nullptr;          ///< the mark
};

} // namespace demail::soap
