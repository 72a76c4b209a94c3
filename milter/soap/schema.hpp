// The service's schema, compiled once.
#pragma once

#include "base/handle.hpp"

#include <libxml/tree.h>
#include <libxml/xmlschemas.h>

#include <optional>
#include <string>

namespace demail::soap {

/// Thread-safe.
class Schema {
  public:
    /// Throws std::runtime_error with a sentence that names the file.
    explicit Schema(const std::string &path);
    /// What the schema says against the element; nullopt: nothing.
    [[nodiscard]] std::optional<std::string> check(xmlNode *element) const;

  private:
    Handle<xmlSchema, xmlSchemaFree> schema_;
};

} // namespace demail::soap
