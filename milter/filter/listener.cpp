#include "filter/listener.hpp"

#include "base/handle.hpp"
#include "base/log.hpp"
#include "filter/milter_callbacks.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

namespace demail::filter {
namespace {

constexpr int backlog = 128;
constexpr std::chrono::milliseconds patience{600};

} // namespace

Listener::Listener(std::string socket, const Surroundings &around)
    : socket_(std::move(socket)), around_(around) {}

Listener::~Listener() {
    stop();
}

std::optional<std::string> Listener::start() {
    if (socket_.size() >= sizeof(sockaddr_un::sun_path))
        return fmt::format("the path of the socket {} is too long for a Unix socket", socket_);
    std::error_code error;
    const std::filesystem::path directory = std::filesystem::path(socket_).parent_path();
    if (!std::filesystem::is_directory(directory, error))
        return fmt::format("the directory {} of the milter's socket does not exist",
                           directory.string());
    std::string address = "unix:" + socket_;
    if (smfi_setconn(address.data()) != MI_SUCCESS || smfi_setbacklog(backlog) != MI_SUCCESS ||
        smfi_register(callbacks(around_)) != MI_SUCCESS)
        return "libmilter does not start";
    // The only way to the socket's mode; no other thread makes files yet.
    const mode_t before = ::umask(S_IXUSR | S_IXGRP | S_IRWXO);
    const int opened = smfi_opensocket(true); // true: over a stale socket
    const int reason = errno;
    ::umask(before);
    if (opened != MI_SUCCESS)
        return fmt::format("cannot listen at {}: {}", socket_, std::strerror(reason));
    running_ = true;
    thread_ = std::thread([this] {
        const int outcome = smfi_main();
        running_ = false;
        if (stopping_) return;
        log::say(log::Level::error,
                 fmt::format("libmilter ended by itself ({}); the milter ends too", outcome));
        ::kill(::getpid(), SIGTERM);
    });
    return std::nullopt;
}

void Listener::wake() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, socket_.c_str(), socket_.size() + 1);
    const Fd peer(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (peer) (void)::connect(peer.get(), reinterpret_cast<sockaddr *>(&address), sizeof address);
}

bool Listener::stop() {
    if (!thread_.joinable()) return true;
    const bool by_itself = !running_;
    stopping_ = true;
    // smfi_stop() waits for a lock that the listener holds while it sleeps in poll(2), up to 5 s;
    // a connection wakes it.
    std::thread stopper([] { (void)smfi_stop(); });
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (running_) {
        if (std::chrono::steady_clock::now() > deadline) {
            // Its pool looks up once a second while a peer is connected. A message under way gets
            // a 4xx from Postfix; nothing here is worth a second of every restart.
            (void)::unlink(socket_.c_str());
            ::_exit(0);
        }
        wake();
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    stopper.join();
    thread_.join();
    return !by_itself;
}

} // namespace demail::filter
