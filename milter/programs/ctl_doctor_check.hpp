// One row of what demailctl doctor says. Pure.
#pragma once

#include "programs/ctl_verdict.hpp"

#include <string>
#include <vector>

namespace demail::ctl {

struct Check {
    std::string group; ///< configuration, postfix, files, daemons, token
    std::string name;  ///< stable
    Verdict verdict = Verdict::good;
    std::string where;  ///< the file, and the line's name in it; "" where the name says it
    std::string found;  ///< what there is, and what comes of it
    std::string remedy; ///< what to do; "" where nothing is to be done
};

using Checks = std::vector<Check>;

} // namespace demail::ctl
