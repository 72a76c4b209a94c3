#include "programs/ctl_relay.hpp"

#include "base/handle.hpp"
#include "daemon/control.hpp"
#include "programs/ctl_screen.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace demail::ctl {

using nlohmann::json;

namespace {

/// The connection; none with errno where nobody answers.
Fd connection_to(const std::string &path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    errno = ENAMETOOLONG;
    if (path.empty() || path.size() >= sizeof address.sun_path) return {};
    path.copy(address.sun_path, path.size());
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto *generic = reinterpret_cast<const sockaddr *>(&address);
    if (socket && ::connect(socket.get(), generic, sizeof address) != 0) {
        const int error = errno;
        socket.reset();
        errno = error;
    }
    return socket;
}

} // namespace

Finding probe_socket(const std::string &name, const std::string &path) {
    const Fd connected = connection_to(path);
    switch (const int error = connected ? 0 : errno) {
    case 0:
        return {name, Verdict::good, "listens at " + path};
    case ENOENT:
        return {name, Verdict::bad, "is not running: there is no socket " + path};
    case ECONNREFUSED:
        return {name, Verdict::bad, "is not running: nobody listens at " + path};
    case EAGAIN:
        return {name, Verdict::bad, "does not keep up: too many wait to connect to " + path};
    case EACCES:
    case EPERM:
        return {name, Verdict::unknown,
                "cannot be told: you may not connect to " + path + "; try it as root"};
    default:
        return {name, Verdict::unknown,
                fmt::format("cannot be told: {}: {}", path, std::strerror(error))};
    }
}

std::optional<Peer> listener_at(const std::string &path) {
    const Fd connected = connection_to(path);
    if (!connected) return std::nullopt;
    return peer_of(connected.get());
}

RelayAnswer ask_relay(const Configuration &configuration, const std::vector<std::string> &words) {
    const Finding there = probe_socket("demail-relay", configuration.control_socket);
    if (there.verdict != Verdict::good)
        return {there.verdict == Verdict::bad ? RelayAnswer::Kind::not_there
                                              : RelayAnswer::Kind::not_reached,
                {},
                "demail-relay " + there.sentence};
    try {
        auto value =
            json::parse(control_request("demail-relay", configuration.control_socket, words));
        if (!value.is_object()) throw std::runtime_error("the answer is no JSON object");
        if (value.contains("error") && value["error"].is_string())
            return {RelayAnswer::Kind::refused, {}, value["error"].get<std::string>()};
        return {RelayAnswer::Kind::answered, std::move(value), {}};
    } catch (const std::exception &error) {
        return {RelayAnswer::Kind::not_reached,
                {},
                std::string("demail-relay did not answer sensibly: ") + error.what()};
    }
}

int act(const Configuration &configuration, const std::vector<std::string> &words, bool as_json) {
    const RelayAnswer answer = ask_relay(configuration, words);
    const bool done = answer.kind == RelayAnswer::Kind::answered;
    const std::string sentence = done ? answer.value.value("done", "done") : answer.sentence;
    if (as_json)
        print(json{{done ? "done" : "error", sentence}}.dump(2, ' ', true,
                                                             json::error_handler_t::replace) +
              "\n");
    else if (done)
        print(visible(sentence) + "\n");
    else
        complain(sentence);
    if (done) return exit_good;
    return answer.kind == RelayAnswer::Kind::refused ? exit_bad : exit_unavailable;
}

} // namespace demail::ctl
