// What demailctl asks of the relay, and whether a daemon listens at a socket.
#pragma once

#include "admin/configuration.hpp"
#include "base/peer.hpp"
#include "programs/ctl_verdict.hpp"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace demail::ctl {

struct RelayAnswer {
    enum class Kind {
        answered,    ///< `value` is its answer
        refused,     ///< it answered with an error: `sentence`
        not_there,   ///< nobody listens
        not_reached, ///< this user may not connect, or no sensible answer came
    };
    Kind kind = Kind::not_reached;
    nlohmann::json value;
    std::string sentence;
};

[[nodiscard]] RelayAnswer ask_relay(const Configuration &configuration,
                                    const std::vector<std::string> &words);

/// Asks the relay to act and says what it did. Exit code: 0, 1 where it refused, 69 where it was
/// not reached.
[[nodiscard]] int act(const Configuration &configuration, const std::vector<std::string> &words,
                      bool json);

/// Whether somebody listens at a Unix socket: good, bad where nobody does, unknown where this user
/// may not connect.
[[nodiscard]] Finding probe_socket(const std::string &name, const std::string &path);

/// Who listens at a Unix socket; nullopt where nobody does or may be asked.
[[nodiscard]] std::optional<Peer> listener_at(const std::string &path);

} // namespace demail::ctl
