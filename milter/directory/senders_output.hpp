// The senders_file that a directory's answer becomes. Thread-safe.
#pragma once

#include <string>

namespace demail::directory {

struct Written {
    bool changed = false;
    std::string fault; ///< "" where it is there, and new
};

/// The file holds `text` and is as old as this moment: written anew as a whole, or, where it says
/// so already, touched. A fault leaves what was there, which grows old.
[[nodiscard]] Written write_senders(const std::string &file, const std::string &text);

} // namespace demail::directory
