// XML from outside, parsed within limits, and the few ways in which it is read.
#pragma once

#include "base/handle.hpp"

#include <libxml/tree.h>

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace demail::soap {

using Document = Handle<xmlDoc, xmlFreeDoc>;

/// Parses UTF-8 without DTD, entities, processing instructions or network. A string is the fault,
/// one sentence. The bytes are scanned first: what would cost libxml2 more than linear time (100
/// 000 attributes at one element) never reaches it. The caller has limited their number.
/// Thread-safe.
[[nodiscard]] std::variant<Document, std::string> parse_document(std::string_view bytes);

/// What the scan says against the bytes; nullopt: nothing. Pure.
[[nodiscard]] std::optional<std::string> scan_xml(std::string_view bytes);

/// Prepares libxml2 for threads and shuts its way to files and network. Called by all that needs
/// it.
void start_libxml();

[[nodiscard]] bool is(const xmlNode *node, std::string_view space, std::string_view name) noexcept;
[[nodiscard]] std::vector<xmlNode *> elements(const xmlNode *parent);
/// The children of that name, in order.
[[nodiscard]] std::vector<xmlNode *> elements(const xmlNode *parent, std::string_view space,
                                              std::string_view name);
/// The child of that name where there is exactly one, else nullptr.
[[nodiscard]] xmlNode *only(const xmlNode *parent, std::string_view space, std::string_view name);
/// The text below a node, as it stands.
[[nodiscard]] std::string text_of(const xmlNode *node);
/// The same without white space around it.
[[nodiscard]] std::string trimmed_text_of(const xmlNode *node);
/// An attribute without a namespace (`space` empty) or with one.
[[nodiscard]] std::optional<std::string> attribute(const xmlNode *node, std::string_view name,
                                                   std::string_view space = {});

} // namespace demail::soap
