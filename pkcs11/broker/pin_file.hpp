// A PIN out of a file or a file descriptor, straight into locked memory. Thread-safe.
#pragma once

#include "base/secret.hpp"

#include <string>
#include <variant>

namespace demail::broker {

/// The first line, without its end; the text is why not, a sentence that names the file. A file
/// that others may read or write is refused.
[[nodiscard]] std::variant<Secret, std::string> read_pin_file(const std::string &path);

/// The first line of what `fd` gives until its end; the rest must be empty.
[[nodiscard]] std::variant<Secret, std::string> read_pin(int fd, const std::string &called);

} // namespace demail::broker
