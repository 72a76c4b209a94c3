// PKCS#11 URIs (RFC 7512) as the configuration uses them. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace demail::crypto {

struct KeyUri {
    std::optional<std::string> token, serial, manufacturer, model, object, id, slot_id;
    std::optional<std::string> module_path; ///< ?module-path=; default: the project's own module
    std::optional<std::string> pin_file;    ///< ?pin-source=file:…

    /// A string is the fault, one sentence.
    static std::variant<KeyUri, std::string> parse(std::string_view text);
};

} // namespace demail::crypto
