#include "lmtp/stream.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace demail::lmtp {
namespace {

using Clock = std::chrono::steady_clock;

/// Milliseconds until `end` for poll(2), rounded up.
int left(Clock::time_point end) {
    const auto rest = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    return static_cast<int>(std::clamp<long long>(rest, 0, 1000000000));
}

bool again(int error) {
    return error == EAGAIN || error == EINTR;
}

} // namespace

Stream::Got SocketStream::read(char *buffer, std::size_t size, std::chrono::seconds patience,
                               bool stoppable) {
    const auto end = Clock::now() + patience;
    for (;;) {
        pollfd waits[] = {{socket_.get(), POLLIN, 0}, {stoppable ? stop_fd_ : -1, POLLIN, 0}};
        const int ready = ::poll(waits, 2, left(end));
        if (ready < 0 && errno != EINTR) return {Event::closed, 0};
        if (ready == 0) return {Event::timed_out, 0};
        if (ready < 0) continue;
        if (waits[1].revents != 0) return {Event::stopped, 0};
        const ssize_t got = ::recv(socket_.get(), buffer, size, 0);
        if (got > 0) return {Event::bytes, static_cast<std::size_t>(got)};
        if (got == 0 || !again(errno)) return {Event::closed, 0};
    }
}

bool SocketStream::write(std::string_view bytes, std::chrono::seconds patience) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(sent));
            continue;
        }
        if (!again(errno)) return false;
        pollfd wait{socket_.get(), POLLOUT, 0};
        const int ready = ::poll(&wait, 1, left(Clock::now() + patience));
        if (ready == 0 || (ready < 0 && errno != EINTR)) return false;
    }
    return true;
}

} // namespace demail::lmtp
