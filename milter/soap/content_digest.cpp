#include "soap/content_digest.hpp"

#include "soap/infoset_digest.hpp"

namespace demail::soap {

namespace {

enum class Octets { base64, raw };

void add(InfosetDigest &digest, const Content &content, Octets octets) {
    if (octets == Octets::base64) {
        digest.content(content.header);
        digest.content(content.body_fd, content.body_offset, content.body_length);
    } else {
        digest.text(content.header);
        digest.file(content.body_fd, content.body_offset, content.body_length);
    }
}

} // namespace

std::optional<ContentDigest> content_digest_named(std::string_view name) {
    if (name == "infoset") return ContentDigest::infoset;
    if (name == "xop-include") return ContentDigest::xop_include;
    if (name == "swa") return ContentDigest::swa;
    return std::nullopt;
}

BodyDigests digests_of(const SignedBody &body, ContentDigest how, const EVP_MD *algorithm) {
    InfosetDigest digest(algorithm);
    digest.text(body.head);
    if (body.content != nullptr && how == ContentDigest::infoset)
        add(digest, *body.content, Octets::base64);
    else if (body.content != nullptr)
        digest.text(body.include);
    digest.text(body.tail);
    BodyDigests made{digest.finish(), std::nullopt};
    if (body.content != nullptr && how == ContentDigest::swa) {
        InfosetDigest attachment(algorithm);
        add(attachment, *body.content, Octets::raw);
        made.attachment = attachment.finish();
    }
    return made;
}

} // namespace demail::soap
