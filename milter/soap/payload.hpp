// The replies' fields. Each function takes an element that the schema has found valid. Thread-safe
// for different documents.
#pragma once

#include "soap/provider.hpp"

#include <libxml/tree.h>

namespace demail::soap {

[[nodiscard]] Account read_account(const xmlNode *element);
[[nodiscard]] DirectoryEntry read_directory_entry(const xmlNode *element);
[[nodiscard]] Domains read_domains(const xmlNode *element);
[[nodiscard]] Submitted read_submitted(const xmlNode *element);
[[nodiscard]] Found read_submission(const xmlNode *element);
[[nodiscard]] Message read_message(const xmlNode *element);
[[nodiscard]] Fault read_fault(const xmlNode *element);

} // namespace demail::soap
