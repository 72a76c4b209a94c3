#include "lmtp/server.hpp"

#include "base/host_name.hpp"
#include "base/log.hpp"
#include "base/peer.hpp"
#include "lmtp/protocol.hpp"
#include "lmtp/session.hpp"
#include "lmtp/stream.hpp"
#include "lmtp/workers.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace demail::lmtp {
namespace {

constexpr int pause_ms = 200; ///< before accept is tried again when descriptors or memory are short

std::string name_of_host() {
    const std::string name = host_name();
    return name.empty() ? "localhost" : name;
}

/// A first and last word; a peer that does not read it gets none.
void send_away(const Fd &socket, const Reply &reply) {
    const std::string line = reply_line(reply);
    static_cast<void>(::send(socket.get(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
}

} // namespace

struct Server::Impl {
    Fd listener;
    std::vector<uid_t> peers;
    Service &service;
    Limits limits;
    Fd stop; ///< an eventfd that is never read: once written, every poll sees it
    std::string host = name_of_host();
    Workers workers{[this](Fd socket) { serve(std::move(socket)); }};

    Impl(Fd listening, std::vector<uid_t> uids, Service &served, Limits most)
        : listener(std::move(listening)), peers(std::move(uids)), service(served), limits(most),
          stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        if (!stop) throw std::system_error(errno, std::generic_category(), "eventfd");
        const int flags = ::fcntl(listener.get(), F_GETFL);
        if (flags < 0 || ::fcntl(listener.get(), F_SETFL, flags | O_NONBLOCK) != 0)
            throw std::system_error(errno, std::generic_category(), "LMTP listener");
    }

    /// False when the server shall stop. `timeout` in milliseconds, -1: none.
    [[nodiscard]] bool wait(int fd, int timeout) const {
        pollfd waits[] = {{stop.get(), POLLIN, 0}, {fd, POLLIN, 0}};
        while (::poll(waits, 2, timeout) < 0)
            if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "poll");
        return waits[0].revents == 0;
    }

    void accept() {
        Fd socket(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (socket) return admit(std::move(socket));
        switch (const int error = errno) {
        case EINTR:
        case EAGAIN:
        case ECONNABORTED:
            return;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
            log::say(log::Level::error,
                     fmt::format("LMTP: a connection cannot be taken: {}", std::strerror(error)));
            static_cast<void>(wait(-1, pause_ms));
            return;
        default:
            throw std::system_error(error, std::generic_category(), "LMTP accept");
        }
    }

    void admit(Fd socket) {
        const auto uid = peer_uid(socket.get());
        if (!uid) return;
        // 4xx: mail waits in the queue until the administrator has set the peer right.
        if (*uid != 0 && std::find(peers.begin(), peers.end(), *uid) == peers.end()) {
            log::event(log::Level::warning, "refused",
                       {{"reason", "LMTP peer is not allowed"}, {"uid", std::to_string(*uid)}});
            return send_away(socket, {421, "4.7.0", "This user may not connect here."});
        }
        if (workers.busy() >= limits.connections)
            return send_away(socket, {421, "4.3.2", "Too many connections; try again later."});
        start(std::move(socket));
    }

    void start(Fd socket) {
        try {
            workers.give(std::move(socket));
        } catch (const std::system_error &error) {
            log::say(log::Level::error, fmt::format("LMTP: no thread: {}", error.what()));
        }
    }

    void serve(Fd socket) noexcept {
        try {
            SocketStream stream(std::move(socket), stop.get());
            Session(stream, service, limits, host).run();
        } catch (const std::exception &error) {
            log::say(log::Level::error, fmt::format("LMTP: {}", error.what()));
        } catch (...) {
            log::say(log::Level::error, "LMTP: unknown exception");
        }
    }
};

Server::Server(Fd listener, std::vector<uid_t> peers, Service &service, Limits limits)
    : impl_(std::make_unique<Impl>(std::move(listener), std::move(peers), service, limits)) {}

Server::~Server() {
    stop();
    impl_->workers.join();
}

void Server::run() {
    while (impl_->wait(impl_->listener.get(), -1))
        impl_->accept();
    impl_->listener.reset();
    impl_->workers.join();
}

void Server::stop() noexcept {
    const std::uint64_t one = 1;
    // It can fail only when the counter is full, and then it is readable already.
    if (::write(impl_->stop.get(), &one, sizeof one) < 0) return;
}

} // namespace demail::lmtp
