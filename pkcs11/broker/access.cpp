#include "broker/access.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace demail::broker {
namespace {

/// The user's or group's number; nullopt where it does not exist.
template <typename Entry, typename Number>
std::optional<Number> number_of(const std::string &name,
                                int (*look_up)(const char *, Entry *, char *, size_t, Entry **),
                                Number Entry::*number) {
    Entry entry{};
    Entry *found = nullptr;
    std::vector<char> buffer(1024);
    int error = 0;
    while ((error = look_up(name.c_str(), &entry, buffer.data(), buffer.size(), &found)) == ERANGE)
        buffer.resize(buffer.size() * 2);
    if (error != 0 || found == nullptr) return std::nullopt;
    return entry.*number;
}

} // namespace

std::optional<uid_t> user_number(const std::string &name) {
    const auto found = number_of<passwd, uid_t>(name, ::getpwnam_r, &passwd::pw_uid);
    if (found) return found;
    // As systemd's User= has it: a number where no such name is.
    uid_t number = 0;
    const auto [end, fault] = std::from_chars(name.data(), name.data() + name.size(), number);
    const bool whole = fault == std::errc() && end == name.data() + name.size();
    return whole ? std::optional(number) : std::nullopt;
}

namespace {

std::optional<gid_t> group_number(const std::string &name) {
    return number_of<group, gid_t>(name, ::getgrnam_r, &group::gr_gid);
}

bool is_in(const Peer &peer, std::optional<gid_t> group) {
    return group && std::find(peer.groups.begin(), peer.groups.end(), *group) != peer.groups.end();
}

} // namespace

std::optional<Peer> peer_of(int socket) {
    ucred who{};
    socklen_t size = sizeof who;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0 || size != sizeof who)
        return std::nullopt;
    Peer peer{who.uid, who.pid, {}};
    // Asked with no room, the kernel says how much is needed.
    size = 0;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, nullptr, &size) != 0 && errno != ERANGE)
        return std::nullopt;
    peer.groups.resize(size / sizeof(gid_t));
    if (!peer.groups.empty() &&
        ::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, peer.groups.data(), &size) != 0)
        return std::nullopt;
    peer.groups.push_back(who.gid);
    return peer;
}

AccessRules::AccessRules(const std::vector<AllowRule> &rules)
    : admin_(group_number("demail-admin")), view_(group_number("demail-view")) {
    for (const AllowRule &rule : rules) {
        Rule one{rule.key, std::nullopt, std::nullopt, rule.per_minute};
        if (!rule.user.empty()) one.user = user_number(rule.user);
        if (!rule.group.empty()) one.group = group_number(rule.group);
        rules_.push_back(std::move(one));
    }
}

bool AccessRules::fits_peer(const Rule &rule, const Peer &peer) {
    return (rule.user && *rule.user == peer.uid) || is_in(peer, rule.group);
}

std::optional<unsigned> AccessRules::may_use(const Peer &peer, std::string_view key) const {
    for (const Rule &rule : rules_)
        if (fits(rule.key, key) && fits_peer(rule, peer)) return rule.per_minute;
    return std::nullopt;
}

bool AccessRules::may_use_some(const Peer &peer) const {
    return std::any_of(rules_.begin(), rules_.end(),
                       [&](const Rule &rule) { return fits_peer(rule, peer); });
}

bool AccessRules::may_act(const Peer &peer) const {
    return peer.uid == 0 || is_in(peer, admin_);
}

bool AccessRules::may_look(const Peer &peer) const {
    return may_act(peer) || is_in(peer, view_);
}

bool RateLimit::take(uid_t uid, const std::string &key, unsigned per_minute,
                     Clock::time_point now) {
    if (per_minute == 0) return true;
    const std::lock_guard lock(mutex_);
    const auto [found, fresh] = buckets_.try_emplace({uid, key});
    Bucket &bucket = found->second;
    const double most = per_minute;
    if (fresh) {
        bucket = {most, now};
    } else {
        const std::chrono::duration<double, std::ratio<60>> passed = now - bucket.filled;
        bucket.tokens = std::min(most, bucket.tokens + passed.count() * most);
        bucket.filled = now;
    }
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
}

void RateLimit::give_back(uid_t uid, const std::string &key) {
    const std::lock_guard lock(mutex_);
    const auto found = buckets_.find({uid, key});
    if (found != buckets_.end()) found->second.tokens += 1;
}

} // namespace demail::broker
