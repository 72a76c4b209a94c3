#include "scripted_daemon.hpp"

#include "base/listen_unix.hpp"
#include "wire/frame.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <utility>

namespace demail::test {

ScriptedDaemon::ScriptedDaemon(std::string path, Script script)
    : path_(std::move(path)), script_(std::move(script)) {
    start();
}

ScriptedDaemon::~ScriptedDaemon() {
    stop();
}

void ScriptedDaemon::start() {
    stopping_ = false;
    listener_ = listen_unix(path_, 0600);
    accepter_ = std::thread([this] { accept_all(); });
}

void ScriptedDaemon::stop() {
    if (!accepter_.joinable()) return;
    stopping_ = true;
    std::filesystem::remove(path_);
    accepter_.join();
    listener_.reset();
    std::vector<std::pair<int, std::thread>> served;
    {
        const std::lock_guard lock(mutex_);
        served = std::move(served_);
        served_.clear();
    }
    for (auto &[socket, thread] : served) {
        ::shutdown(socket, SHUT_RDWR);
        thread.join();
        ::close(socket);
    }
}

void ScriptedDaemon::say_next(std::string bytes) {
    const std::lock_guard lock(mutex_);
    say_next_ = std::move(bytes);
}

void ScriptedDaemon::accept_all() {
    while (!stopping_) {
        pollfd one{listener_.get(), POLLIN, 0};
        if (::poll(&one, 1, 5) <= 0) continue;
        const int socket = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
        if (socket < 0) continue;
        ++connections_;
        const std::lock_guard lock(mutex_);
        served_.emplace_back(socket, std::thread([this, socket] { serve(socket); }));
    }
}

void ScriptedDaemon::serve(int socket) {
    wire::FrameReader reader(wire::limit::request);
    for (;;) {
        while (const auto payload = reader.next()) {
            const auto bytes = answer(*payload);
            if (!bytes || ::send(socket, bytes->data(), bytes->size(), MSG_NOSIGNAL) < 0) {
                ::shutdown(socket, SHUT_RDWR);
                return;
            }
        }
        const auto room = reader.room();
        const ssize_t got = room.size == 0 ? 0 : ::read(socket, room.data, room.size);
        if (got <= 0) {
            ::shutdown(socket, SHUT_RDWR);
            return;
        }
        reader.received(static_cast<std::size_t>(got));
    }
}

std::optional<std::string> ScriptedDaemon::answer(std::string_view payload) {
    const auto request = wire::parse_request(payload);
    if (!request) return std::nullopt;
    std::optional<wire::Reply> reply;
    if (std::holds_alternative<wire::Hello>(request->request)) {
        reply = wire::Reply{0, wire::rv_ok, "", wire::Welcome{}};
    } else {
        ++requests_;
        {
            const std::lock_guard lock(mutex_);
            if (say_next_) return std::exchange(say_next_, std::nullopt);
        }
        reply = script_(request->request);
    }
    if (!reply) return std::nullopt;
    reply->id = request->id;
    return std::string(wire::reply_frame(*reply).view());
}

TemporaryDirectory::TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "demail-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

} // namespace demail::test
