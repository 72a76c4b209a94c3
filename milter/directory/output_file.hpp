// The file that an answer becomes, of the directory or of DNS. Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace demail::directory {

struct Written {
    bool changed = false;
    std::string fault; ///< "" where it is there, and new
};

/// The file, called `what` in sentences, holds `text` and is as old as this moment: written anew as
/// a whole, or, where it says so already, touched. A fault leaves what was there, which grows old.
[[nodiscard]] Written write_output(const std::string &file, std::string_view what,
                                   const std::string &text);

} // namespace demail::directory
