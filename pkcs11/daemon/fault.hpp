// What is wrong with a configuration file, for the person who wrote it.
#pragma once

#include <string>
#include <vector>

namespace demail {

/// One fault of a file. `line` and `column` count from 1; 0 where the fault is the file itself.
struct ConfigurationFault {
    std::string file;
    unsigned line = 0, column = 0;
    std::string sentence;
    [[nodiscard]] std::string str() const; ///< file:line:column: sentence
};

/// All that reading one found. Warnings are allowed but seldom meant.
struct ConfigurationReport {
    std::vector<ConfigurationFault> faults, warnings;
    /// Of files that are read again while the daemon runs: --check-config takes them for faults, a
    /// start does not.
    std::vector<ConfigurationFault> passing{};
};

} // namespace demail
