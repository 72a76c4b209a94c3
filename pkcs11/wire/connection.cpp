#include "wire/connection.hpp"

#include "base/peer.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <thread>

namespace demail::wire {
namespace {

using namespace std::chrono_literals;

int milliseconds_until(Clock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    return static_cast<int>(std::clamp<std::chrono::milliseconds::rep>(left.count(), 0, 3'600'000));
}

} // namespace

Connection::Connection(Fd socket) : socket_(std::move(socket)) {}

std::optional<uid_t> Connection::peer() const noexcept {
    return peer_uid(socket_.get());
}

bool Connection::quiet() const noexcept {
    pollfd one{socket_.get(), POLLIN, 0};
    return ::poll(&one, 1, 0) == 0;
}

bool Connection::wait_for(short events, Clock::time_point deadline) const {
    for (;;) {
        pollfd one{socket_.get(), events, 0};
        const int ready = ::poll(&one, 1, milliseconds_until(deadline));
        if (ready > 0) return true;
        if (ready == 0 && Clock::now() >= deadline) return false;
        if (ready < 0 && errno != EINTR) return true; // the next call on the socket will tell
    }
}

Step Connection::send(const Secret &frame, Clock::time_point deadline) {
    std::string_view rest = frame.view();
    while (!rest.empty()) {
        const ssize_t sent = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent > 0) {
            rest.remove_prefix(static_cast<std::size_t>(sent));
        } else if (sent < 0 && errno == EAGAIN) {
            if (!wait_for(POLLOUT, deadline)) return Step::late;
        } else if (sent < 0 && errno != EINTR) {
            return Step::gone;
        }
    }
    return Step::done;
}

Connection::Received Connection::receive(Clock::time_point deadline) {
    for (;;) {
        if (const auto payload = reader_.next()) return {Step::done, parse_reply(*payload)};
        if (reader_.broken()) return {Step::done, std::nullopt};
        const FrameReader::Room room = reader_.room();
        const ssize_t got = ::recv(socket_.get(), room.data, room.size, 0);
        if (got > 0) {
            reader_.received(static_cast<std::size_t>(got));
        } else if (got < 0 && errno == EAGAIN) {
            if (!wait_for(POLLIN, deadline)) return {Step::late, std::nullopt};
        } else if (got == 0 || errno != EINTR) {
            return {Step::gone, std::nullopt};
        }
    }
}

std::variant<Connection, ConnectError> connect_to(const std::string &path,
                                                  Clock::time_point deadline) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) return ENAMETOOLONG;
    path.copy(address.sun_path, path.size());
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return errno;
    while (::connect(socket.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) !=
           0) {
        const int error = errno;
        // A Unix socket does not connect in the background: EAGAIN is a full queue.
        if (error != EAGAIN && error != EINTR) return error;
        if (Clock::now() >= deadline) return ETIMEDOUT;
        if (error == EAGAIN) std::this_thread::sleep_for(5ms);
    }
    return Connection(std::move(socket));
}

} // namespace demail::wire
