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

std::optional<Peer> peer_of(int socket) {
    const auto who = credentials(socket);
    if (!who) return std::nullopt;
    Peer peer{who->uid, {}};
    socklen_t size = 0;
    // Asked with no room, the kernel says how much is needed.
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, nullptr, &size) == 0 || errno == ERANGE) {
        peer.groups.resize(size / sizeof(gid_t));
        if (!peer.groups.empty() &&
            ::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, peer.groups.data(), &size) != 0)
            peer.groups.clear();
    }
    peer.groups.push_back(who->gid);
    return peer;
}

bool peer_in_group(int socket, const char *group) {
    const auto peer = peer_of(socket);
    const auto wanted = group_id(group);
    return peer && wanted &&
           std::find(peer->groups.begin(), peer->groups.end(), *wanted) != peer->groups.end();
}

} // namespace demail
