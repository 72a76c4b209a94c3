#include "base/peer.hpp"

#include <grp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

namespace demail {

namespace {

std::optional<ucred> credentials(int socket) noexcept {
    ucred who{};
    socklen_t size = sizeof who;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0 || size != sizeof who ||
        who.pid == 0)
        return std::nullopt;
    return who;
}

std::optional<gid_t> group_id(const char *name) {
    group entry{};
    group *found = nullptr;
    std::vector<char> buffer(1024);
    int error = 0;
    while ((error = ::getgrnam_r(name, &entry, buffer.data(), buffer.size(), &found)) == ERANGE)
        buffer.resize(buffer.size() * 2);
    if (error != 0 || found == nullptr) return std::nullopt;
    return entry.gr_gid;
}

} // namespace

std::optional<uid_t> peer_uid(int socket) noexcept {
    const auto who = credentials(socket);
    if (!who) return std::nullopt;
    return who->uid;
}

bool peer_in_group(int socket, const char *group) {
    const auto who = credentials(socket);
    const auto wanted = group_id(group);
    if (!who || !wanted) return false;
    if (who->gid == *wanted) return true;
    socklen_t size = 0;
    std::vector<gid_t> groups;
    // Asked with no room, the kernel says how much is needed.
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, nullptr, &size) != 0 && errno != ERANGE)
        return false;
    groups.resize(size / sizeof(gid_t));
    if (groups.empty() ||
        ::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0)
        return false;
    return std::find(groups.begin(), groups.end(), *wanted) != groups.end();
}

} // namespace demail
