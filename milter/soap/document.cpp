#include "soap/document.hpp"

#include <fmt/format.h>
#include <libxml/parser.h>

#include <mutex>

namespace demail::soap {

namespace {

struct Parser {
    xmlParserCtxt *context = xmlNewParserCtxt();
    ~Parser() { xmlFreeParserCtxt(context); }
    Parser() = default;
    Parser(const Parser &) = delete;
    Parser &operator=(const Parser &) = delete;
};

void stop_at_doctype(void *context, const xmlChar *, const xmlChar *, const xmlChar *) noexcept {
    xmlStopParser(static_cast<xmlParserCtxt *>(context));
}

xmlParserInput *no_entity(const char *, const char *, xmlParserCtxt *) noexcept {
    return nullptr;
}

const xmlChar *xml(const char *text) {
    return reinterpret_cast<const xmlChar *>(text);
}

std::string taken(xmlChar *text) {
    if (text == nullptr) return {};
    std::string copy(reinterpret_cast<const char *>(text));
    xmlFree(text);
    return copy;
}

} // namespace

void start_libxml() {
    static std::once_flag once;
    std::call_once(once, [] {
        xmlInitParser();
        xmlSetExternalEntityLoader(no_entity);
    });
}

std::variant<Document, std::string> parse_document(std::string_view bytes) {
    if (auto fault = scan_xml(bytes)) return *std::move(fault);
    start_libxml();
    const Parser parser;
    if (parser.context == nullptr) throw std::bad_alloc();
    parser.context->sax->internalSubset = stop_at_doctype;
    // Never NOENT, DTDLOAD or HUGE. The encoding is given, whatever the document claims: what was
    // scanned as UTF-8 is then parsed as UTF-8.
    Document document(xmlCtxtReadMemory(parser.context, bytes.data(),
                                        static_cast<int>(bytes.size()), "reply.xml", "UTF-8",
                                        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                                            XML_PARSE_NOCDATA | XML_PARSE_IGNORE_ENC));
    const auto *error = xmlCtxtGetLastError(parser.context);
    if (document && parser.context->wellFormed != 0 && parser.context->nsWellFormed != 0 &&
        parser.context->disableSAX == 0 && xmlDocGetRootElement(document.get()) != nullptr &&
        document->intSubset == nullptr)
        return document;
    return fmt::format("it is not well-formed XML (line {})", error != nullptr ? error->line : 0);
}

bool is(const xmlNode *node, std::string_view space, std::string_view name) noexcept {
    return node != nullptr && node->type == XML_ELEMENT_NODE && node->ns != nullptr &&
           node->ns->href != nullptr && reinterpret_cast<const char *>(node->ns->href) == space &&
           reinterpret_cast<const char *>(node->name) == name;
}

std::vector<xmlNode *> elements(const xmlNode *parent) {
    std::vector<xmlNode *> found;
    for (xmlNode *child = parent->children; child != nullptr; child = child->next)
        if (child->type == XML_ELEMENT_NODE) found.push_back(child);
    return found;
}

std::vector<xmlNode *> elements(const xmlNode *parent, std::string_view space,
                                std::string_view name) {
    std::vector<xmlNode *> found;
    for (xmlNode *child = parent->children; child != nullptr; child = child->next)
        if (is(child, space, name)) found.push_back(child);
    return found;
}

xmlNode *only(const xmlNode *parent, std::string_view space, std::string_view name) {
    const auto found = elements(parent, space, name);
    return found.size() == 1 ? found.front() : nullptr;
}

std::string text_of(const xmlNode *node) {
    return taken(xmlNodeGetContent(node));
}

std::string trimmed_text_of(const xmlNode *node) {
    std::string text = text_of(node);
    constexpr std::string_view blanks = " \t\r\n";
    const std::size_t from = text.find_first_not_of(blanks);
    if (from == std::string::npos) return {};
    return text.substr(from, text.find_last_not_of(blanks) - from + 1);
}

std::optional<std::string> attribute(const xmlNode *node, std::string_view name,
                                     std::string_view space) {
    const std::string local(name), href(space);
    xmlChar *value = space.empty() ? xmlGetNoNsProp(node, xml(local.c_str()))
                                   : xmlGetNsProp(node, xml(local.c_str()), xml(href.c_str()));
    if (value == nullptr) return std::nullopt;
    return taken(value);
}

} // namespace demail::soap
