#include "soap/canonical.hpp"

#include <libxml/c14n.h>
#include <libxml/globals.h>
#include <libxml/xmlIO.h>
#include <libxml/xmlerror.h>
#include <libxml/xmlversion.h>

#include <stdexcept>

namespace demail::soap {

namespace {

// Attributes and namespaces have no parent of their own that could be trusted: libxml2 names it.
int within(void *apex, xmlNode *node, xmlNode *parent) noexcept {
    const bool belongs = node->type == XML_NAMESPACE_DECL || node->type == XML_ATTRIBUTE_NODE;
    for (const xmlNode *at = belongs ? parent : node; at != nullptr; at = at->parent)
        if (at == apex) return 1;
    return 0;
}

int append(void *out, const char *octets, int length) noexcept {
    try {
        static_cast<std::string *>(out)->append(octets, static_cast<std::size_t>(length));
    } catch (const std::exception &) {
        return -1;
    }
    return length;
}

// Else libxml2 writes its opinion, with words of the document, to standard error. The handler is
// the thread's own.
class Silence {
  public:
    Silence() noexcept { xmlSetStructuredErrorFunc(nullptr, ignore); }
    ~Silence() { xmlSetStructuredErrorFunc(context_, handler_); }
    Silence(const Silence &) = delete;
    Silence &operator=(const Silence &) = delete;

  private:
#if LIBXML_VERSION >= 21200
    static void ignore(void *, const xmlError *) noexcept {}
#else
    static void ignore(void *, xmlError *) noexcept {}
#endif
    void *context_ = xmlStructuredErrorContext;
    xmlStructuredErrorFunc handler_ = xmlStructuredError;
};

} // namespace

std::string canonical(xmlNode *element, std::vector<std::string> inclusive) {
    std::vector<xmlChar *> prefixes;
    for (std::string &prefix : inclusive)
        prefixes.push_back(reinterpret_cast<xmlChar *>(prefix.data()));
    prefixes.push_back(nullptr);
    std::string octets;
    xmlOutputBuffer *buffer = xmlOutputBufferCreateIO(append, nullptr, &octets, nullptr);
    if (buffer == nullptr) throw std::bad_alloc();
    const Silence silence;
    const int done = xmlC14NExecute(element->doc, within, element, XML_C14N_EXCLUSIVE_1_0,
                                    prefixes.data(), 0, buffer);
    const int closed = xmlOutputBufferClose(buffer); // writes what it still holds
    if (done < 0 || closed < 0) throw std::runtime_error("exclusive C14N failed");
    return octets;
}

} // namespace demail::soap
