// Exit codes of every program (sysexits.h; contracts.md, "Programs").
#pragma once

namespace demail {

enum Exit {
    exit_good = 0,
    exit_bad = 1,
    exit_unknown = 2,
    exit_usage = 64,
    exit_unavailable = 69,
    exit_again = 75,
    exit_configuration = 78
};

} // namespace demail
