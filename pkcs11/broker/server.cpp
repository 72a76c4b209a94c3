#include "broker/server.hpp"

#include "base/log.hpp"
#include "broker/conversation.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <exception>
#include <utility>

namespace demail::broker {
namespace {

/// One user cannot take all of them, so that root always finds a place.
constexpr unsigned most_of_a_user = 128;
constexpr unsigned most_of_all = 512;
/// A card is known within a second of pcscd seeing it.
constexpr std::chrono::seconds longest_beginning{3};

} // namespace

Server::Server(Fd listener, Service &service, std::function<bool()> ready)
    : service_(service), ready_(std::move(ready)), listener_(std::move(listener)),
      stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), thread_([this] { run(); }) {}

Server::~Server() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(stop_.get(), &one, sizeof one);
    thread_.join();
    std::unique_lock lock(mutex_);
    fewer_.wait(lock, [this] { return all_ == 0; });
}

bool Server::wait_until_ready() {
    const auto end = Clock::now() + longest_beginning;
    while (!ready_() && Clock::now() < end) {
        pollfd stop{stop_.get(), POLLIN, 0};
        if (::poll(&stop, 1, 20) > 0) return false;
    }
    return true;
}

void Server::run() {
    if (!wait_until_ready()) return;
    for (;;) {
        std::array<pollfd, 2> waiting{{{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
        if (::poll(waiting.data(), waiting.size(), -1) < 0) continue;
        if (waiting[1].revents != 0) return;
        Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (socket) {
            take(std::move(socket));
        } else if (errno != EINTR && errno != EAGAIN && errno != ECONNABORTED) {
            // No descriptors are left; they come back when a client goes.
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
    }
}

void Server::take(Fd socket) {
    auto peer = peer_of(socket.get());
    if (!peer) return;
    const uid_t uid = peer->uid;
    {
        const std::lock_guard lock(mutex_);
        if (all_ >= most_of_all || open_[uid] >= most_of_a_user) return;
        ++open_[uid];
        ++all_;
    }
    const auto gone = [this, uid] {
        const std::lock_guard lock(mutex_);
        if (--open_[uid] == 0) open_.erase(uid);
        --all_;
        fewer_.notify_all();
    };
    try {
        std::thread([this, gone, socket = std::move(socket), who = std::move(*peer)]() mutable {
            try {
                Conversation(std::move(socket), std::move(who), service_, stop_.get()).run();
            } catch (const std::exception &error) {
                log::event(log::Level::error, "refused", {{"reason", error.what()}});
            }
            gone();
        }).detach();
    } catch (const std::system_error &error) {
        gone();
        log::say(log::Level::error, fmt::format("No thread for a client: {}", error.what()));
    }
}

} // namespace demail::broker
