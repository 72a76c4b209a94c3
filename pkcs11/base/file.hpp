// Whole small files. Thread-safe.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace demail {

/// The file's bytes; nullopt where there is none. Throws std::system_error that names the file,
/// also when it is larger than `limit`.
[[nodiscard]] std::optional<std::string> read_file(const std::string &path,
                                                   std::size_t limit = 64UL * 1024 * 1024);
/// Writes all of it; false with errno where that fails.
[[nodiscard]] bool write_whole(int fd, std::string_view bytes);
/// Writes beside, fsync, rename, fsync of the directory: a reader sees the old file or the new one.
/// Throws std::system_error that names the file.
void replace_file(const std::string &path, std::string_view bytes, mode_t mode);

} // namespace demail
