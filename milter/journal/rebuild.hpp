// A journal that was lost, or is older than the evidence, learns from it what was sent.
#pragma once

#include "journal/journal.hpp"

#include <cstddef>
#include <functional>
#include <string>

namespace demail::journal {

struct Rebuilt {
    std::size_t restored = 0;   ///< the journal did not know them, or knew less
    std::size_t known = 0;      ///< it knows as much
    std::size_t unreadable = 0; ///< directories that do not tell; each was logged
};

/// Goes through the whole evidence. Harmless where nothing is missing, and after a half-done one.
/// `alive` is called now and then with what is done so far. Throws Unavailable.
Rebuilt rebuild(Journal &journal, const std::string &evidence, Time now,
                const std::function<void(const Rebuilt &)> &alive = {});

} // namespace demail::journal
