#include "soap/attachment.hpp"

#include "soap/envelope.hpp"
#include "soap/infoset_digest.hpp"
#include "soap/names.hpp"

#include <new>

namespace demail::soap {

namespace {

std::optional<unsigned> hex_digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    c = static_cast<char>(c | 0x20);
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
    return std::nullopt;
}

// RFC 2392: "cid:" and the Content-ID, percent-encoded. "" for anything else.
std::string named_by(std::string_view uri) {
    if (uri.size() < 4 || (uri[0] | 0x20) != 'c' || (uri[1] | 0x20) != 'i' ||
        (uri[2] | 0x20) != 'd' || uri[3] != ':')
        return {};
    uri.remove_prefix(4);
    std::string id;
    for (std::size_t at = 0; at < uri.size(); ++at) {
        if (uri[at] != '%') {
            id += uri[at];
            continue;
        }
        if (at + 2 >= uri.size()) return {};
        const auto high = hex_digit(uri[at + 1]), low = hex_digit(uri[at + 2]);
        if (!high || !low) return {};
        id += static_cast<char>(*high << 4 | *low);
        at += 2;
    }
    return id;
}

} // namespace

Attachment::Attachment(const Content &content, ContentDigest how, std::string content_id)
    : content_(&content), how_(how), content_id_(std::move(content_id)),
      mark_(random_name() + random_name()) {}

std::variant<Attachment, std::string> Attachment::find(xmlNode *holder,
                                                       const std::string &content_id,
                                                       const Content &content, ContentDigest how) {
    xmlNode *include = holder != nullptr ? only(holder, names::xop, "Include") : nullptr;
    if (include == nullptr || holder->children != include || include->next != nullptr ||
        include->children != nullptr)
        return "its content is not one xop:Include";
    if (named_by(attribute(include, "href").value_or("")) != content_id)
        return "its xop:Include names another part";
    Attachment made(content, how, content_id);
    xmlNode *mark =
        xmlNewDocText(include->doc, reinterpret_cast<const xmlChar *>(made.mark_.c_str()));
    if (mark == nullptr) throw std::bad_alloc();
    xmlReplaceNode(include, mark);
    made.include_.reset(include);
    made.standing_ = mark;
    return made;
}

void Attachment::schema_checked() {
    if (how_ == ContentDigest::infoset) return;
    xmlReplaceNode(standing_, include_.release());
    xmlFreeNode(standing_);
    standing_ = nullptr;
}

std::string Attachment::digest_of(std::string_view octets, const EVP_MD *algorithm) const {
    const std::size_t at = octets.find(mark_);
    if (at == std::string_view::npos)
        return digests_of({octets, {}, {}, nullptr}, how_, algorithm).body;
    return digests_of({octets.substr(0, at), {}, octets.substr(at + mark_.size()), content_}, how_,
                      algorithm)
        .body;
}

std::optional<std::string> Attachment::part_digest(std::string_view uri,
                                                   const EVP_MD *algorithm) const {
    if (how_ != ContentDigest::swa || named_by(uri) != content_id_) return std::nullopt;
    return digests_of({{}, {}, {}, content_}, how_, algorithm).attachment;
}

} // namespace demail::soap
