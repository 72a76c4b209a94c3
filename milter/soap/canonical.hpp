// Exclusive XML Canonicalization 1.0, without comments. Thread-safe for different documents.
#pragma once

#include <libxml/tree.h>

#include <string>
#include <vector>

namespace demail::soap {

/// The octets of the element and all below it. `inclusive`: the prefixes of an InclusiveNamespaces
/// PrefixList, "#default" for none. Throws std::runtime_error when libxml2 fails.
[[nodiscard]] std::string canonical(xmlNode *element, std::vector<std::string> inclusive = {});

} // namespace demail::soap
