// XML from outside, its canonical form, and what we write into XML. Also the moments that stand in
// it.
#include "base/instant.hpp"
#include "fuzz.hpp"
#include "soap/canonical.hpp"
#include "soap/document.hpp"
#include "soap/xml_text.hpp"

#include <string>

namespace demail::fuzz {
namespace {

std::size_t depth_below(const xmlNode *element) {
    std::size_t deepest = 0;
    for (const xmlNode *child : soap::elements(element))
        deepest = std::max(deepest, depth_below(child));
    return deepest + 1;
}

void is_within_limits(const xmlNode *element) {
    std::size_t attributes = 0;
    for (const xmlAttr *at = element->properties; at != nullptr; at = at->next)
        ++attributes;
    HOLDS(attributes <= 64);
    for (const xmlNode *child = element->children; child != nullptr; child = child->next) {
        HOLDS(child->type != XML_PI_NODE && child->type != XML_ENTITY_REF_NODE &&
              child->type != XML_DTD_NODE);
        if (child->type == XML_ELEMENT_NODE) is_within_limits(child);
    }
}

void document(std::string_view text) {
    const auto parsed = soap::parse_document(text);
    if (const auto *fault = std::get_if<std::string>(&parsed)) {
        HOLDS(!fault->empty() && fault->size() < 200);
        return;
    }
    HOLDS(!soap::scan_xml(text));
    xmlDoc *document = std::get<soap::Document>(parsed).get();
    HOLDS(document->intSubset == nullptr && document->extSubset == nullptr);
    xmlNode *root = xmlDocGetRootElement(document);
    HOLDS(depth_below(root) <= 48);
    is_within_limits(root);
    std::string once;
    try {
        once = soap::canonical(root);
    } catch (const std::runtime_error &) {
        return; // relative namespace names have no canonical form
    }
    // The canonical form of the canonical form is itself.
    const auto again = soap::parse_document(once);
    HOLDS(std::holds_alternative<soap::Document>(again));
    HOLDS(soap::canonical(xmlDocGetRootElement(std::get<soap::Document>(again).get())) == once);
}

void written_text(std::string_view text) {
    const auto written = soap::canonical_text(text);
    if (!written) return;
    const std::string element = "<a>" + *written + "</a>";
    const auto parsed = soap::parse_document(element);
    HOLDS(std::holds_alternative<soap::Document>(parsed));
    xmlNode *root = xmlDocGetRootElement(std::get<soap::Document>(parsed).get());
    HOLDS(soap::text_of(root) == text);
    HOLDS(soap::canonical(root) == element);
}

void moment(std::string_view text) {
    const auto instant = read_instant(text);
    if (!instant) return;
    const std::string written = write_instant(*instant);
    HOLDS(written.size() == 24 && written.substr(0, 19) == text.substr(0, 19));
    HOLDS(read_instant(written) == instant);
}

} // namespace

void xml(std::string_view text) {
    document(text);
    written_text(text);
    moment(text);
}

} // namespace demail::fuzz
