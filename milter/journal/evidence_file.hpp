// Files of an evidence directory: without a name until they are on disk, never overwritten.
// Thread-safe. What fails says so by false, or no file, and errno.
#pragma once

#include "journal/evidence.hpp"

#include <string>
#include <string_view>

namespace demail::journal {

/// Writes `head` and then `body` (none where its fd is -1), fdatasync, and gives it the name.
/// EEXIST where that is taken.
[[nodiscard]] bool put_file(int directory, const std::string &name, std::string_view head,
                            const FileRegion &body);
/// Gives an open file without a name that name, else copies it; one that has it stays.
[[nodiscard]] bool link_or_copy(int directory, const std::string &name, const FileRegion &file);
/// Whether the file is there, begins with `head` and has `length` bytes after it.
[[nodiscard]] bool holds(int directory, const std::string &name, std::string_view head,
                         std::uint64_t length);

/// attempts.jsonl, to append to. A line that a crash has cut off is ended.
[[nodiscard]] Fd open_lines(int directory);

} // namespace demail::journal
