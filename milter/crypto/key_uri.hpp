// PKCS#11 URIs (RFC 7512) as the configuration uses them. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace demail::crypto {

struct KeyUri {
    // All values are percent-decoded and not empty; control characters occur only in `id`.
    std::optional<std::string> token, serial, manufacturer, model, object, id, slot_id;
    std::optional<std::string> module_path; ///< ?module-path=; default: the project's own module
    std::optional<std::string> pin_file;    ///< ?pin-source=file:…, an absolute path

    /// The module to load: module_path, or the project's own.
    [[nodiscard]] std::string module() const;

    /// A string is the fault, one sentence. At most 4096 bytes are read.
    static std::variant<KeyUri, std::string> parse(std::string_view text);

    /// Strict percent-decoding (RFC 3986 2.1); nullopt for a `%` without two hex digits.
    static std::optional<std::string> decode(std::string_view text);
};

} // namespace demail::crypto
