// A file on whose mode something rests: that nobody reads or writes it who may not. Thread-safe.
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>
#include <variant>

namespace demail {

struct GuardedFile {
    std::string text;
    struct stat status {}; ///< of what was read
};

/// The file `path`, called `what` in sentences, or a sentence: it cannot be read, is no regular
/// file, is larger than `limit` octets, or its mode has one of the `forbidden` bits, which `chmod`
/// takes away.
[[nodiscard]] std::variant<GuardedFile, std::string>
read_guarded_file(const std::string &path, std::string_view what, mode_t forbidden,
                  std::string_view chmod, std::size_t limit);

} // namespace demail
