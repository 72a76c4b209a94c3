#include "daemon/control.hpp"

#include "base/peer.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

namespace demail {

namespace {

constexpr std::size_t longest_request = 4096;
constexpr std::size_t longest_answer = 4 * 1024 * 1024;
constexpr timeval patience{5, 0};

void set_patience(int socket) {
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

/// Until `end` (kept out) or end of stream; what came before a failure or the limit.
std::string read_until(int socket, char end, std::size_t limit) {
    std::string text;
    std::array<char, 4096> buffer;
    while (text.size() < limit) {
        const ssize_t got = ::recv(socket, buffer.data(), buffer.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        text.append(buffer.data(), static_cast<std::size_t>(got));
        if (const auto at = text.find(end); at != std::string::npos) return text.substr(0, at);
    }
    return text;
}

void write_all(int socket, std::string_view text) {
    while (!text.empty()) {
        const ssize_t sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
}

std::string error_text(const std::string &sentence) {
    return nlohmann::json{{"error", sentence}}.dump(-1, ' ', true,
                                                    nlohmann::json::error_handler_t::replace);
}

} // namespace

ControlServer::ControlServer(std::string program, Fd listener,
                             std::map<std::string, ControlCommand, std::less<>> commands)
    : program_(std::move(program)), listener_(std::move(listener)),
      stop_(::eventfd(0, EFD_CLOEXEC)), commands_(std::move(commands)), thread_([this] { run(); }) {
}

ControlServer::~ControlServer() {
    const std::uint64_t one = 1;
    if (::write(stop_.get(), &one, sizeof one) == sizeof one) thread_.join();
}

void ControlServer::run() {
    while (true) {
        std::array<pollfd, 2> waiting{{{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
        if (::poll(waiting.data(), waiting.size(), -1) < 0) continue;
        if (waiting[1].revents != 0) return;
        const Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (socket) serve(socket.get());
    }
}

void ControlServer::serve(int socket) {
    set_patience(socket);
    const bool may_act = peer_uid(socket) == 0U || peer_in_group(socket, "demail-admin");
    const bool may_look = may_act || peer_in_group(socket, "demail-view");
    if (!may_look) { // at once: whoever may not ask cannot keep those waiting who may
        write_all(socket, error_text("you may not ask " + program_ +
                                     ": only root and the groups "
                                     "demail-admin and demail-view may") +
                              "\n");
        return;
    }
    std::istringstream request(read_until(socket, '\n', longest_request));
    std::string name;
    request >> name;
    std::vector<std::string> arguments;
    for (std::string word; request >> word;)
        arguments.push_back(word);
    std::string answer;
    try {
        const auto command = commands_.find(name);
        if (command == commands_.end())
            answer = error_text(program_ + " does not know the command \"" + name + "\"");
        else if (command->second.acts && !may_act)
            answer =
                error_text("you may look but not act: only root and the group demail-admin may");
        else
            answer = command->second.run(arguments);
    } catch (const std::exception &error) {
        answer = error_text(error.what());
    }
    write_all(socket, answer + "\n");
}

std::string control_request(const std::string &program, const std::string &path,
                            const std::vector<std::string> &words) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        throw std::runtime_error("the control socket's path is too long: " + path);
    std::memcpy(address.sun_path, path.data(), path.size());
    const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket ||
        ::connect(socket.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0)
        throw std::runtime_error(program + " cannot be asked at " + path + " (" +
                                 std::strerror(errno) +
                                 "): is it running, and are you in the group demail-admin?");
    set_patience(socket.get());
    std::string line;
    for (const std::string &word : words)
        line += (line.empty() ? "" : " ") + word;
    write_all(socket.get(), line + "\n");
    std::string answer = read_until(socket.get(), '\n', longest_answer);
    if (answer.empty()) throw std::runtime_error(program + " did not answer at " + path);
    return answer;
}

} // namespace demail
