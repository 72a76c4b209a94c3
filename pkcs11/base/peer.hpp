// Who is at the other end of a Unix socket. Thread-safe.
#pragma once

#include <sys/types.h>

#include <optional>
#include <vector>

namespace demail {

struct Peer {
    uid_t uid = 0;
    std::vector<gid_t> groups; ///< the primary one and the supplementary ones
};

/// SO_PEERCRED and SO_PEERGROUPS; of a socket that has connected: who listens there. nullopt where
/// the socket is not a Unix one.
[[nodiscard]] std::optional<Peer> peer_of(int socket);

/// SO_PEERCRED; nullopt where the socket is not a Unix one.
[[nodiscard]] std::optional<uid_t> peer_uid(int socket) noexcept;
/// SO_PEERCRED's primary group or one of SO_PEERGROUPS (SO_PEERCRED alone shows only the primary
/// one). False where the group does not exist.
[[nodiscard]] bool peer_in_group(int socket, const char *group);

} // namespace demail
