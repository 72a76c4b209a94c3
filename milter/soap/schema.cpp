#include "soap/schema.hpp"

#include "soap/document.hpp"

#include <fmt/format.h>
#include <libxml/xmlerror.h>
#include <libxml/xmlversion.h>

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace demail::soap {

namespace {

#if LIBXML_VERSION >= 21200
using Error = const xmlError *;
#else
using Error = xmlErrorPtr;
#endif

// Keeps the first sentence alone: the others follow from it.
void note(void *out, Error error) noexcept {
    auto &sentence = *static_cast<std::string *>(out);
    if (error == nullptr || error->message == nullptr || !sentence.empty()) return;
    try {
        sentence = fmt::format("line {}: {}", error->line, error->message);
        while (!sentence.empty() && (sentence.back() == '\n' || sentence.back() == '.'))
            sentence.pop_back();
    } catch (const std::exception &) {
        sentence.clear();
    }
}

} // namespace

Schema::Schema(const std::string &path) {
    start_libxml();
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (!file || text.empty())
        throw std::runtime_error(fmt::format("The schema {} cannot be read.", path));
    std::string fault;
    const Handle<xmlSchemaParserCtxt, xmlSchemaFreeParserCtxt> parser(
        xmlSchemaNewMemParserCtxt(text.data(), static_cast<int>(text.size())));
    if (!parser) throw std::bad_alloc();
    xmlSchemaSetParserStructuredErrors(parser.get(), note, &fault);
    schema_.reset(xmlSchemaParse(parser.get()));
    if (!schema_)
        throw std::runtime_error(fmt::format("The schema {} is not one: {}.", path, fault));
}

std::optional<std::string> Schema::check(xmlNode *element) const {
    std::string fault;
    const Handle<xmlSchemaValidCtxt, xmlSchemaFreeValidCtxt> context(
        xmlSchemaNewValidCtxt(schema_.get()));
    if (!context) throw std::bad_alloc();
    xmlSchemaSetValidStructuredErrors(context.get(), note, &fault);
    if (xmlSchemaValidateOneElement(context.get(), element) == 0) return std::nullopt;
    return fault.empty() ? "it is not valid" : fault;
}

} // namespace demail::soap
