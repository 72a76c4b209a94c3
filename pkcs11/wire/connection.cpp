#include "wire/connection.hpp"

#include "base/peer.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

namespace demail::wire {
namespace {

using namespace std::chrono_literals;

int milliseconds_until(Clock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    return static_cast<int>(std::clamp<std::chrono::milliseconds::rep>(left.count(), 0, 3'600'000));
}

} // namespace

Stop::Stop() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!event_) throw std::system_error(errno, std::generic_category(), "eventfd");
}

void Stop::now() noexcept {
    ::eventfd_write(event_.get(), 1);
}

bool Stop::was_said() const noexcept {
    return wait_until({});
}

bool Stop::wait_until(Clock::time_point time) const noexcept {
    for (;;) {
        pollfd one{event_.get(), POLLIN, 0};
        const int ready = ::poll(&one, 1, milliseconds_until(time));
        if (ready > 0) return true;
        if (ready == 0 && Clock::now() >= time) return false;
    }
}

Connection::Connection(Fd socket, const Stop &stop) : socket_(std::move(socket)), stop_(&stop) {}

std::optional<uid_t> Connection::peer() const noexcept {
    return peer_uid(socket_.get());
}

bool Connection::quiet() const noexcept {
    pollfd one{socket_.get(), POLLIN, 0};
    return ::poll(&one, 1, 0) == 0;
}

Step Connection::wait_for(short events, Clock::time_point deadline) const {
    for (;;) {
        std::array<pollfd, 2> both{{{socket_.get(), events, 0}, {stop_->fd(), POLLIN, 0}}};
        const int ready = ::poll(both.data(), both.size(), milliseconds_until(deadline));
        if (ready > 0 && both[1].revents != 0) return Step::gone;
        if (ready > 0) return Step::done;
        if (ready == 0 && Clock::now() >= deadline) return Step::late;
        if (ready < 0 && errno != EINTR) return Step::gone;
    }
}

Step Connection::send(const Secret &frame, Clock::time_point deadline) {
    std::string_view rest = frame.view();
    while (!rest.empty()) {
        const ssize_t sent = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent > 0) {
            rest.remove_prefix(static_cast<std::size_t>(sent));
        } else if (sent < 0 && errno == EAGAIN) {
            if (const Step step = wait_for(POLLOUT, deadline); step != Step::done) return step;
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
            if (const Step step = wait_for(POLLIN, deadline); step != Step::done)
                return {step, std::nullopt};
        } else if (got == 0 || errno != EINTR) {
            return {Step::gone, std::nullopt};
        }
    }
}

std::variant<Connection, ConnectError> connect_to(const std::string &path, const Stop &stop,
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
        if (error == EAGAIN && stop.wait_until(Clock::now() + 5ms)) return ECANCELED;
    }
    return Connection(std::move(socket), stop);
}

} // namespace demail::wire
