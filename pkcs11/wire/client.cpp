#include "wire/client.hpp"

#include "wire/codec.hpp"

#include <pwd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace demail::wire {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_idle = 4;
/// systemd restarts the daemon within a second or two; who asks meanwhile need not notice.
constexpr auto restart_patience = 10s;
constexpr auto retry_pause = 50ms;

NoReply late(const std::string &socket) {
    return {NoReply::Why::late, "demail-cardd at " + socket + " did not answer in time."};
}

NoReply unreachable(const std::string &socket, int error) {
    if (error == ETIMEDOUT) return late(socket);
    if (error == EACCES || error == EPERM)
        return {NoReply::Why::unreachable, "This user may not use demail-cardd at " + socket +
                                               ": it is for the group demail-card."};
    if (error == ENOENT || error == ECONNREFUSED)
        return {NoReply::Why::unreachable,
                "demail-cardd does not run: nobody listens at " + socket + "."};
    return {NoReply::Why::unreachable, "demail-cardd at " + socket + " cannot be reached: " +
                                           std::generic_category().message(error) + "."};
}

NoReply stopped() {
    return {NoReply::Why::unreachable, "The call was given up: the program asked for it."};
}

NoReply garbled(const std::string &socket) {
    return {NoReply::Why::garbled,
            "What listens at " + socket + " does not speak the language of demail-cardd."};
}

NoReply uncertain() {
    return {
        NoReply::Why::uncertain,
        "demail-cardd got the PIN and gave no answer. Whether the card has seen it is not known: "
        "look at the tries left before you enter it again."};
}

/// The daemon may be back in a moment.
bool passes(int error) noexcept {
    return error == ENOENT || error == ECONNREFUSED || error == ECONNRESET;
}

} // namespace

std::string default_socket() {
    const char *named = ::secure_getenv("DEMAIL_CARDD_SOCKET");
    return named != nullptr && *named != '\0' ? named : "/run/demail-cardd/socket";
}

bool is_card_daemon(uid_t uid) {
    if (uid == 0) return true;
    passwd entry{};
    passwd *found = nullptr;
    std::array<char, 4096> buffer{};
    return ::getpwnam_r("demail-cardd", &entry, buffer.data(), buffer.size(), &found) == 0 &&
           found != nullptr && entry.pw_uid == uid;
}

Client::Client(std::string socket, std::function<bool(uid_t)> trusted)
    : socket_(std::move(socket)), trusted_(std::move(trusted)) {}

void Client::stop() noexcept {
    stop_.now();
}

std::optional<Connection> Client::idle_connection() {
    const std::lock_guard lock(mutex_);
    while (!idle_.empty()) {
        Connection one = std::move(idle_.back());
        idle_.pop_back();
        if (one.quiet()) return one;
    }
    return std::nullopt;
}

void Client::keep(Connection connection) {
    const std::lock_guard lock(mutex_);
    if (idle_.size() < most_idle) idle_.push_back(std::move(connection));
}

/// A connection that has said hello.
std::variant<Connection, NoReply> Client::new_connection(Clock::time_point deadline) {
    const auto begin = Clock::now();
    const auto patience = std::min(deadline, begin + restart_patience);
    for (;;) {
        auto connected = connect_to(socket_, stop_, deadline);
        int error = ECONNRESET;
        if (auto *failed = std::get_if<ConnectError>(&connected)) {
            error = *failed;
        } else {
            Connection &one = std::get<Connection>(connected);
            const std::uint32_t id = ++last_id_;
            Step step = one.send(request_frame(id, Hello{}), deadline);
            Connection::Received got{step, std::nullopt};
            if (step == Step::done) got = one.receive(deadline);
            if (got.step == Step::late) return late(socket_);
            if (got.step == Step::done) {
                if (!got.reply || got.reply->id != id) return garbled(socket_);
                if (got.reply->rv != rv_ok)
                    return NoReply{NoReply::Why::unreachable, got.reply->sentence};
                const auto *welcome = std::get_if<Welcome>(&got.reply->body);
                if (welcome == nullptr || welcome->version != version) return garbled(socket_);
                was_there_ = true;
                return std::move(one);
            }
        }
        if (!was_there_ || !passes(error)) return unreachable(socket_, error);
        if (Clock::now() + retry_pause >= patience) {
            // It does not come back in a moment: the next call need not wait for that again.
            if (patience - begin > restart_patience / 2) was_there_ = false;
            return unreachable(socket_, error);
        }
        if (stop_.wait_until(Clock::now() + retry_pause)) return stopped();
    }
}

std::variant<Connection, NoReply> Client::connection(Clock::time_point deadline) {
    if (auto idle = idle_connection()) return std::move(*idle);
    return new_connection(deadline);
}

std::optional<NoReply> Client::mistrust(const Connection &connection) const {
    const auto peer = connection.peer();
    if (peer && trusted_(*peer)) return std::nullopt;
    return NoReply{NoReply::Why::impostor, "The PIN was not sent: what listens at " + socket_ +
                                               " is neither root nor the user demail-cardd."};
}

Client::Answer Client::call(const Request &request, Clock::time_point deadline) {
    const bool secret = carries_secret(request);
    const std::uint32_t id = ++last_id_;
    const Secret frame = request_frame(id, request);
    for (int attempts_left = 2;; --attempts_left) {
        if (stop_.was_said()) return stopped();
        auto connected = connection(deadline);
        if (auto *none = std::get_if<NoReply>(&connected)) return std::move(*none);
        Connection &one = std::get<Connection>(connected);
        if (secret)
            if (auto doubt = mistrust(one)) return std::move(*doubt);
        const Step sent = one.send(frame, deadline);
        if (sent == Step::late) return late(socket_);
        if (sent == Step::done) {
            auto got = one.receive(deadline);
            if (got.step == Step::done) {
                if (!got.reply || got.reply->id != id) return garbled(socket_);
                keep(std::move(one));
                return std::move(*got.reply);
            }
            if (secret) return uncertain();
            if (got.step == Step::late) return late(socket_);
        }
        if (attempts_left <= 1) return unreachable(socket_, ECONNRESET);
    }
}

} // namespace demail::wire
