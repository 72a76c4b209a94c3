#include "programs/ctl_resume.hpp"

#include "programs/ctl_relay.hpp"
#include "programs/ctl_screen.hpp"

#include <algorithm>
#include <cstdio>

namespace demail::ctl {

int resume(const Configuration &configuration, const std::string &account, bool json_wanted) {
    // The control socket's request is words on a line.
    const bool one_word = std::all_of(account.begin(), account.end(), [](char c) {
        return static_cast<unsigned char>(c) > ' ' && c != 0x7f;
    });
    if (account.empty() || !one_word) {
        std::fputs(("demailctl: \"" + visible(account) + "\" is not an account's name\n").c_str(),
                   stderr);
        return exit_usage;
    }
    return act(configuration, {"resume", account}, json_wanted);
}

} // namespace demail::ctl
