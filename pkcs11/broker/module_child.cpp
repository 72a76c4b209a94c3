#include "broker/module_child.hpp"

#include "broker/module_host.hpp"
#include "wire/codec.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <exception>
#include <system_error>
#include <utility>

namespace demail::broker {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(int error, const char *what) {
    throw std::system_error(error, std::generic_category(), what);
}

/// The file actions and attributes of one spawn.
struct Spawning {
    posix_spawn_file_actions_t actions{};
    posix_spawnattr_t attributes{};
    Spawning() {
        if (const int error = ::posix_spawn_file_actions_init(&actions)) fail(error, "posix_spawn");
        if (const int error = ::posix_spawnattr_init(&attributes)) {
            ::posix_spawn_file_actions_destroy(&actions);
            fail(error, "posix_spawn");
        }
    }
    ~Spawning() {
        ::posix_spawnattr_destroy(&attributes);
        ::posix_spawn_file_actions_destroy(&actions);
    }
    Spawning(const Spawning &) = delete;
    Spawning &operator=(const Spawning &) = delete;
};

bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

} // namespace

ModuleChild::ModuleChild(const std::string &module) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
        fail(errno, "socketpair");
    socket_ = Fd(ends[0]);
    // Above the number that it gets there, so that dup2 makes a descriptor without CLOEXEC.
    const Fd theirs(::fcntl(ends[1], F_DUPFD_CLOEXEC, module_host_socket + 1));
    ::close(ends[1]);
    if (!theirs) fail(errno, "socketpair");
    Spawning spawning;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawn_file_actions_adddup2(&spawning.actions, theirs.get(), module_host_socket);
    // The daemon's own signals are blocked, a module may expect them not to be.
    ::posix_spawnattr_setsigmask(&spawning.attributes, &none);
    ::posix_spawnattr_setsigdefault(&spawning.attributes, &all);
    ::posix_spawnattr_setflags(&spawning.attributes,
                               POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::string name = "demail-cardd", word = module_host_word, path = module;
    std::array<char *, 4> arguments{name.data(), word.data(), path.data(), nullptr};
    const int error = ::posix_spawn(&pid_, "/proc/self/exe", &spawning.actions,
                                    &spawning.attributes, arguments.data(), environ);
    if (error != 0) fail(error, "the module's process cannot be started");
}

ModuleChild::~ModuleChild() {
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

bool ModuleChild::wait(short events, Clock::time_point end) const {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
        if (left <= 0) return false;
        pollfd one{socket_.get(), events, 0};
        const int ready = ::poll(&one, 1, static_cast<int>(std::min<long long>(left, 60000)));
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return false;
    }
}

std::variant<wire::Reply, Away> ModuleChild::ask(const wire::Request &request,
                                                 std::chrono::milliseconds limit) {
    const Away gone{"The PKCS#11 module's process has ended.", false};
    const std::uint32_t id = ++last_id_;
    if (!write_all(socket_.get(), wire::request_frame(id, request).view())) return gone;
    const auto end = Clock::now() + limit;
    for (;;) {
        if (const auto payload = reader_.next()) {
            auto reply = wire::parse_reply(*payload);
            if (reply && reply->id == id) return std::move(*reply);
            return Away{"The PKCS#11 module's process makes no sense.", false};
        }
        if (reader_.broken()) return Away{"The PKCS#11 module's process makes no sense.", false};
        if (!wait(POLLIN, end))
            return Away{fmt::format("The PKCS#11 module has not answered within {} s.",
                                    std::chrono::ceil<std::chrono::seconds>(limit).count()),
                        true};
        const auto room = reader_.room();
        const ssize_t got = ::recv(socket_.get(), room.data, room.size, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return gone;
        reader_.received(static_cast<std::size_t>(got));
    }
}

int run_module_host(const std::string &module, int fd) {
    const rlimit none{0, 0};
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::prctl(PR_SET_DUMPABLE, 0);
    ::setrlimit(RLIMIT_CORE, &none);
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    const Fd socket(fd);
    wire::FrameReader reader(wire::limit::request);
    std::optional<ModuleHost> host;
    std::string why;
    try {
        host.emplace(module);
    } catch (const std::exception &error) {
        why = error.what();
    }
    for (;;) {
        if (const auto payload = reader.next()) {
            const auto request = wire::parse_request(*payload);
            if (!request) return 1;
            wire::Reply reply =
                host ? host->answer(request->request)
                     : wire::Reply{0, CKR_CRYPTOKI_NOT_INITIALIZED, why, wire::Done{}};
            reply.id = request->id;
            if (!write_all(socket.get(), wire::reply_frame(reply).view())) return 0;
            continue;
        }
        if (reader.broken()) return 1;
        const auto room = reader.room();
        const ssize_t got = ::recv(socket.get(), room.data, room.size, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return 0;
        reader.received(static_cast<std::size_t>(got));
    }
}

} // namespace demail::broker
