// Small files, whole. Thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace demail::filter {

/// The file's text; nullopt with errno set where it cannot be read, is no regular file or is longer
/// than `limit` octets (EFBIG).
[[nodiscard]] std::optional<std::string> read_file(const std::string &path, std::size_t limit);

} // namespace demail::filter
