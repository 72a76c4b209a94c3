// The acts of a process that the world can see: what counts, its number, its line in the log, its
// end. crash-shim.cpp says what it is for.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace demail::crash {

struct Control {
    std::atomic<std::uint64_t> armed;   ///< acts are counted while this is 1
    std::atomic<std::uint64_t> count;   ///< acts since it was armed
    std::atomic<std::uint64_t> at;      ///< the act that is met, from 1; 0: none
    std::atomic<std::uint64_t> failure; ///< 0: SIGKILL before it; else it and, of its kind of
                                        ///< object, all after it fail with this errno
    std::atomic<std::uint64_t> shift;   ///< seconds that the wall clock is set back
};

struct Shim {
    Control *control = nullptr;
    int log = -1;
    std::vector<std::string> files;
    std::string lmtp;
    std::mutex turn;
};

/// Null in programs that are not looked at, and before our constructor has run: other libraries'
/// constructors write too. Never freed, since threads write after the last destructor.
extern Shim *shim;

struct Act {
    explicit Act(const char *named) : kind(named) {}
    const char *kind;
    std::string object;
    std::uint64_t inode = 0;
    long long offset = 0;
    std::size_t length = 0;
    std::string_view bytes;
    bool file = false;
};

void note(std::uint64_t number, const Act &act);
/// The act's number, 0 while nothing is counted. Does not return from the one that kills; `failure`
/// becomes the errno that this act is to fail with.
std::uint64_t number_of(const Act &act, int &failure);

[[nodiscard]] bool watched(std::string_view path);
[[nodiscard]] std::string absolute(int directory, const char *path);
/// A file or directory that is watched; fills in `act`.
[[nodiscard]] bool is_watched(int fd, Act &act);
/// The LMTP socket's connections, and TCP; fills in `act`.
[[nodiscard]] bool is_peer(int fd, Act &act);

/// Runs `call` (which gives a result as of a system call) in the act's turn; `done` may complete
/// the log's entry from the result.
template <typename Call, typename Done>
long on_file(Act &act, Call call, Done done) {
    const std::lock_guard lock(shim->turn);
    int failure = 0;
    const std::uint64_t number = number_of(act, failure);
    if (failure != 0) {
        errno = failure;
        return -1;
    }
    const long result = call();
    const int error = errno;
    if (result >= 0) {
        done(result);
        note(number, act);
    }
    errno = error;
    return result;
}

template <typename Call>
long on_fd(const char *kind, int fd, long long offset, Call call) {
    Act act(kind);
    if (!is_watched(fd, act)) return call();
    act.offset = offset;
    return on_file(act, call, [](long) {});
}

/// `other`: the second path, to stand in the log behind the first.
template <typename Call>
long on_path(const char *kind, const std::string &path, const std::string &other, Call call) {
    if (shim == nullptr || (!watched(path) && !watched(other))) return call();
    Act act(kind);
    act.object = path;
    act.bytes = other;
    act.file = true;
    struct stat status {};
    if (::syscall(SYS_newfstatat, AT_FDCWD, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0)
        act.inode = status.st_ino;
    return on_file(act, call, [&](long) {
        if (act.inode == 0 &&
            ::syscall(SYS_newfstatat, AT_FDCWD, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0)
            act.inode = status.st_ino;
    });
}

template <typename Call>
long on_socket(const char *kind, int fd, Call call) {
    Act act(kind);
    if (!is_peer(fd, act)) return call();
    int failure = 0;
    const std::uint64_t number = number_of(act, failure);
    const long result = call();
    const int error = errno;
    act.length = result >= 0 ? static_cast<std::size_t>(result) : 0;
    note(number, act);
    errno = error;
    return result;
}

template <typename Call>
long received(const char *kind, int fd, Call call) {
    if (shim == nullptr) return call();
    char one = 0;
    const int before = errno;
    const long there =
        ::syscall(SYS_recvfrom, fd, &one, 1, MSG_PEEK | MSG_DONTWAIT, nullptr, nullptr);
    const bool nothing = there < 0;
    errno = before;
    return nothing ? call() : on_socket(kind, fd, call);
}

} // namespace demail::crash
