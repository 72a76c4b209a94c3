// Who may do what with which key: SO_PEERCRED's uid, SO_PEERGROUPS, the [[allow]] rules.
#pragma once

#include "broker/configuration.hpp"

#include <sys/types.h>

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace demail::broker {

/// By name, or by number where no user has that name; nullopt for neither. Thread-safe.
[[nodiscard]] std::optional<uid_t> user_number(const std::string &name);

/// The process at the other end, as it was when it connected.
struct Peer {
    uid_t uid = static_cast<uid_t>(-1);
    pid_t pid = 0;
    std::vector<gid_t> groups; ///< the primary one too
};

/// nullopt where the kernel does not tell.
[[nodiscard]] std::optional<Peer> peer_of(int socket);

/// The rules with names turned into numbers once: a user or group that is made later counts after a
/// reload. Const members are thread-safe.
class AccessRules {
  public:
    explicit AccessRules(const std::vector<AllowRule> &rules);

    /// Operations a minute that the first rule that fits gives this user with this key (0: no
    /// limit); nullopt: no rule fits. Root is a user like others.
    [[nodiscard]] std::optional<unsigned> may_use(const Peer &peer, std::string_view key) const;
    /// Whether any rule is for this user, whatever the key: it may see cards and log in.
    [[nodiscard]] bool may_use_some(const Peer &peer) const;
    /// Unlock, lock, PINs: root and the group demail-admin.
    [[nodiscard]] bool may_act(const Peer &peer) const;
    /// Status: those, and demail-view.
    [[nodiscard]] bool may_look(const Peer &peer) const;

  private:
    struct Rule {
        std::string key;
        std::optional<uid_t> user;
        std::optional<gid_t> group;
        unsigned per_minute;
    };
    static bool fits_peer(const Rule &rule, const Peer &peer);

    std::vector<Rule> rules_;
    std::optional<gid_t> admin_, view_;
};

/// Counts operations of a user with a key over the last minute. Thread-safe.
class RateLimit {
  public:
    using Clock = std::chrono::steady_clock;
    /// False where `per_minute` (0: no limit) are used up; a refused one does not count.
    [[nodiscard]] bool take(uid_t uid, const std::string &key, unsigned per_minute,
                            Clock::time_point now);
    /// The one that was taken just now does not count.
    void give_back(uid_t uid, const std::string &key);

  private:
    /// A bucket that fills by per_minute a minute and holds as many.
    struct Bucket {
        double tokens = 0;
        Clock::time_point filled{};
    };
    std::mutex mutex_;
    std::map<std::pair<uid_t, std::string>, Bucket> buckets_;
};

} // namespace demail::broker
