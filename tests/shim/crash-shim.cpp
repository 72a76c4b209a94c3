// Preloaded into demail-relay: numbers its acts that the world can see, writes them down, and ends
// the process just before a given one, or has it fail. tests/e2e/crash.py is its other side.
//
//   DEMAIL_CRASH_CONTROL   a file of 64-bit words in the host's order, see Control; mapped, so that
//                          a test changes them under the running process
//   DEMAIL_CRASH_LOG       gets one line an act:
//                          NUMBER KIND OBJECT INODE OFFSET LENGTH BYTES, by tabs, BYTES in hex
//   DEMAIL_CRASH_FILES     beginnings of the paths whose acts count, by colons
//   DEMAIL_CRASH_LMTP      the beginning of the LMTP socket's name when it was bound
//
// Acts on files are all that changes or syncs one of these paths; they have a turn each, so the
// log's order is the disk's. Acts on sockets are those on the LMTP socket and on TCP. A receiving
// call counts where there is something to receive. What stdio writes and what is written by mmap(2)
// is not seen; test_crash_power.py finds out, since the log then does not account for the disk.
#include <dlfcn.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace {

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

// Other constructors write before ours has run, and threads write after the last destructor.
Shim *shim = nullptr;

__attribute__((constructor)) void load() {
    const char *control = std::getenv("DEMAIL_CRASH_CONTROL");
    const char *log = std::getenv("DEMAIL_CRASH_LOG");
    const char *files = std::getenv("DEMAIL_CRASH_FILES");
    const char *lmtp = std::getenv("DEMAIL_CRASH_LMTP");
    // postmap and other programs that the relay starts are not what is looked at.
    if (std::string_view(program_invocation_short_name) != "demail-relay" || control == nullptr)
        return;
    auto *made = new Shim;
    const int fd = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, control, O_RDWR | O_CLOEXEC));
    void *words = ::mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd < 0 || words == MAP_FAILED) std::abort();
    ::syscall(SYS_close, fd);
    made->control = static_cast<Control *>(words);
    if (log != nullptr)
        made->log = static_cast<int>(
            ::syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
    for (std::string_view rest = files != nullptr ? files : ""; !rest.empty();) {
        const auto end = std::min(rest.find(':'), rest.size());
        made->files.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    made->lmtp = lmtp != nullptr ? lmtp : "/";
    shim = made;
}

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

void note(std::uint64_t number, const Act &act) {
    if (shim->log < 0) return;
    constexpr char digits[] = "0123456789abcdef";
    std::string line = std::to_string(number) + '\t' + act.kind + '\t' + act.object + '\t' +
                       std::to_string(act.inode) + '\t' + std::to_string(act.offset) + '\t' +
                       std::to_string(act.length) + '\t';
    line.reserve(line.size() + 2 * act.bytes.size() + 1);
    for (const char one : act.bytes) {
        line += digits[static_cast<unsigned char>(one) >> 4];
        line += digits[static_cast<unsigned char>(one) & 15];
    }
    line += '\n';
    ::syscall(SYS_write, shim->log, line.data(), line.size());
}

/// The act's number, 0 while nothing is counted. Does not return from the one that kills; `failure`
/// becomes the errno that this act is to fail with.
std::uint64_t number_of(const Act &act, int &failure) {
    Control &control = *shim->control;
    failure = 0;
    if (control.armed == 0) return 0;
    const std::uint64_t number = ++control.count;
    const std::uint64_t at = control.at;
    if (at == 0 || number < at) return number;
    if (control.failure != 0) {
        if (act.file) failure = static_cast<int>(control.failure);
    } else if (number == at) {
        Act killed = act;
        killed.bytes = {};
        const std::string kind = std::string("killed before ") + act.kind;
        killed.kind = kind.c_str();
        note(number, killed);
        ::syscall(SYS_kill, ::getpid(), SIGKILL);
        for (;;)
            ::pause();
    }
    return number;
}

bool watched(std::string_view path) {
    for (const std::string &one : shim->files)
        if (path.substr(0, one.size()) == one) return true;
    return false;
}

/// Syncing a directory makes the names in it last.
bool holds_watched(const std::string &directory) {
    return std::any_of(shim->files.begin(), shim->files.end(), [&](const std::string &one) {
        return one.substr(0, one.rfind('/')) == directory;
    });
}

std::string path_of(int fd) {
    char path[PATH_MAX];
    const ssize_t size =
        ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path);
    return size > 0 ? std::string(path, static_cast<std::size_t>(size)) : std::string();
}

std::string absolute(int directory, const char *path) {
    if (path[0] == '/') return path;
    if (directory != AT_FDCWD) return path_of(directory) + '/' + path;
    char here[PATH_MAX];
    return std::string(::getcwd(here, sizeof here) != nullptr ? here : "") + '/' + path;
}

/// A file or directory that is watched.
bool is_watched(int fd, Act &act) {
    if (shim == nullptr) return false;
    struct stat status {};
    if (::syscall(SYS_fstat, fd, &status) != 0) return false;
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return false;
    act.object = path_of(fd);
    act.inode = status.st_ino;
    act.file = true;
    return watched(act.object) || (S_ISDIR(status.st_mode) && holds_watched(act.object));
}

/// The LMTP socket's connections, and TCP.
bool is_peer(int fd, Act &act) {
    if (shim == nullptr) return false;
    union {
        sockaddr any;
        sockaddr_un local;
        sockaddr_storage room;
    } name{};
    socklen_t size = sizeof name;
    if (::getsockname(fd, &name.any, &size) != 0) return false;
    if (name.any.sa_family == AF_INET || name.any.sa_family == AF_INET6) {
        int type = 0;
        size = sizeof type;
        ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
        act.object = "provider";
        return type == SOCK_STREAM;
    }
    if (name.any.sa_family != AF_UNIX) return false;
    act.object = "lmtp";
    return std::string_view(name.local.sun_path).starts_with(shim->lmtp);
}

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

long written(const char *kind, int fd, const void *bytes, std::size_t size, long long offset,
             long number, bool at_offset) {
    const auto plain = [&] {
        return at_offset ? ::syscall(number, fd, bytes, size, offset)
                         : ::syscall(number, fd, bytes, size);
    };
    Act act(kind);
    if (is_watched(fd, act)) {
        act.offset = offset;
        act.length = size;
        act.bytes = {static_cast<const char *>(bytes), size};
        return on_file(act, plain, [&](long result) {
            act.length = static_cast<std::size_t>(result);
            act.bytes = act.bytes.substr(0, act.length);
            if (!at_offset) act.offset = ::syscall(SYS_lseek, fd, 0, SEEK_CUR) - result;
        });
    }
    return plain();
}

long written(const char *kind, int fd, const iovec *parts, int count, long long offset,
             bool at_offset) {
    Act act(kind);
    if (!is_watched(fd, act))
        return at_offset ? ::syscall(SYS_pwritev, fd, parts, count, offset, 0L)
                         : ::syscall(SYS_writev, fd, parts, count);
    std::string all;
    for (int at = 0; at < count; ++at)
        all.append(static_cast<const char *>(parts[at].iov_base), parts[at].iov_len);
    return written(kind, fd, all.data(), all.size(), offset, at_offset ? SYS_pwrite64 : SYS_write,
                   at_offset);
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

int opened(int directory, const char *path, int flags, mode_t mode) {
    const auto call = [&] { return ::syscall(SYS_openat, directory, path, flags, mode); };
    if (shim == nullptr || path == nullptr) return static_cast<int>(call());
    const bool nameless = (flags & O_TMPFILE) == O_TMPFILE;
    if (!nameless && (flags & (O_CREAT | O_TRUNC)) == 0) return static_cast<int>(call());
    const std::string whole = absolute(directory, path);
    if (!watched(whole)) return static_cast<int>(call());
    struct stat status {};
    const bool there =
        !nameless && ::syscall(SYS_newfstatat, AT_FDCWD, whole.c_str(), &status, 0) == 0;
    if (there && (flags & O_TRUNC) == 0) return static_cast<int>(call());
    Act act(nameless ? "create-nameless" : there ? "truncate" : "create");
    act.object = whole;
    act.file = true;
    return static_cast<int>(on_file(act, call, [&](long fd) {
        if (::syscall(SYS_fstat, fd, &status) == 0) act.inode = status.st_ino;
    }));
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

template <typename Function>
Function *next(const char *name) {
    return reinterpret_cast<Function *>(::dlsym(RTLD_NEXT, name));
}

} // namespace

#define SHOWN extern "C" __attribute__((visibility("default")))

// Opening

#define OPEN(name, parameters, directory)                                                          \
    SHOWN int name parameters {                                                                    \
        mode_t mode = 0;                                                                           \
        if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE) {                          \
            va_list rest;                                                                          \
            va_start(rest, flags);                                                                 \
            mode = va_arg(rest, mode_t);                                                           \
            va_end(rest);                                                                          \
        }                                                                                          \
        return opened(directory, path, flags, mode);                                               \
    }
OPEN(open, (const char *path, int flags, ...), AT_FDCWD)
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD)
OPEN(openat, (int directory, const char *path, int flags, ...), directory)
OPEN(openat64, (int directory, const char *path, int flags, ...), directory)
SHOWN int creat(const char *path, mode_t mode) {
    return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
SHOWN int creat64(const char *path, mode_t mode) {
    return creat(path, mode);
}
// What a fortified build calls where it gives no mode.
SHOWN int __open_2(const char *path, int flags) {
    return opened(AT_FDCWD, path, flags, 0);
}
SHOWN int __open64_2(const char *path, int flags) {
    return opened(AT_FDCWD, path, flags, 0);
}
SHOWN int __openat_2(int directory, const char *path, int flags) {
    return opened(directory, path, flags, 0);
}
SHOWN int __openat64_2(int directory, const char *path, int flags) {
    return opened(directory, path, flags, 0);
}

// Writing

SHOWN ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) {
    return written("pwrite", fd, bytes, size, offset, SYS_pwrite64, true);
}
SHOWN ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset) {
    return written("pwrite", fd, bytes, size, offset, SYS_pwrite64, true);
}
SHOWN ssize_t pwritev(int fd, const iovec *parts, int count, off_t offset) {
    return written("pwrite", fd, parts, count, offset, true);
}
SHOWN ssize_t pwritev64(int fd, const iovec *parts, int count, off64_t offset) {
    return written("pwrite", fd, parts, count, offset, true);
}
SHOWN ssize_t write(int fd, const void *bytes, size_t size) {
    Act act("send");
    if (shim != nullptr && is_peer(fd, act))
        return on_socket("send", fd, [&] { return ::syscall(SYS_write, fd, bytes, size); });
    return written("write", fd, bytes, size, 0, SYS_write, false);
}
SHOWN ssize_t writev(int fd, const iovec *parts, int count) {
    Act act("send");
    if (shim != nullptr && is_peer(fd, act))
        return on_socket("send", fd, [&] { return ::syscall(SYS_writev, fd, parts, count); });
    return written("write", fd, parts, count, 0, false);
}
SHOWN int ftruncate(int fd, off_t length) {
    return static_cast<int>(
        on_fd("truncate", fd, length, [&] { return ::syscall(SYS_ftruncate, fd, length); }));
}
SHOWN int ftruncate64(int fd, off64_t length) {
    return ftruncate(fd, length);
}
SHOWN int fallocate(int fd, int mode, off_t offset, off_t length) {
    // A file that grows is what of it can be told from the disk.
    return static_cast<int>(on_fd(mode == 0 ? "extend" : "fallocate", fd, offset + length, [&] {
        return ::syscall(SYS_fallocate, fd, mode, offset, length);
    }));
}
SHOWN int fallocate64(int fd, int mode, off64_t offset, off64_t length) {
    return fallocate(fd, mode, offset, length);
}
SHOWN int posix_fallocate(int fd, off_t offset, off_t length) {
    return fallocate(fd, 0, offset, length) == 0 ? 0 : errno;
}
SHOWN int posix_fallocate64(int fd, off64_t offset, off64_t length) {
    return posix_fallocate(fd, offset, length);
}
/// "Not here": callers then read and write.
SHOWN ssize_t copy_file_range(int, off64_t *, int, off64_t *, size_t, unsigned) {
    errno = EXDEV;
    return -1;
}

// Making it last

SHOWN int fsync(int fd) {
    return static_cast<int>(on_fd("fsync", fd, 0, [&] { return ::syscall(SYS_fsync, fd); }));
}
SHOWN int fdatasync(int fd) {
    return static_cast<int>(
        on_fd("fdatasync", fd, 0, [&] { return ::syscall(SYS_fdatasync, fd); }));
}

// Names

SHOWN int renameat2(int from, const char *old_path, int to, const char *new_path, unsigned flags) {
    const auto call = [&] { return ::syscall(SYS_renameat2, from, old_path, to, new_path, flags); };
    if (shim == nullptr) return static_cast<int>(call());
    return static_cast<int>(
        on_path("rename", absolute(from, old_path), absolute(to, new_path), call));
}
SHOWN int renameat(int from, const char *old_path, int to, const char *new_path) {
    return renameat2(from, old_path, to, new_path, 0);
}
SHOWN int rename(const char *old_path, const char *new_path) {
    return renameat2(AT_FDCWD, old_path, AT_FDCWD, new_path, 0);
}
SHOWN int linkat(int from, const char *old_path, int to, const char *new_path, int flags) {
    const auto call = [&] { return ::syscall(SYS_linkat, from, old_path, to, new_path, flags); };
    if (shim == nullptr) return static_cast<int>(call());
    // The new name first: its inode is known when it is there, also of a nameless file.
    return static_cast<int>(on_path("link", absolute(to, new_path), {}, call));
}
SHOWN int link(const char *old_path, const char *new_path) {
    return linkat(AT_FDCWD, old_path, AT_FDCWD, new_path, 0);
}
SHOWN int unlinkat(int directory, const char *path, int flags) {
    const auto call = [&] { return ::syscall(SYS_unlinkat, directory, path, flags); };
    if (shim == nullptr) return static_cast<int>(call());
    return static_cast<int>(on_path("unlink", absolute(directory, path), {}, call));
}
SHOWN int unlink(const char *path) {
    return unlinkat(AT_FDCWD, path, 0);
}
SHOWN int rmdir(const char *path) {
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}
SHOWN int mkdirat(int directory, const char *path, mode_t mode) {
    const auto call = [&] { return ::syscall(SYS_mkdirat, directory, path, mode); };
    if (shim == nullptr) return static_cast<int>(call());
    return static_cast<int>(on_path("mkdir", absolute(directory, path), {}, call));
}
SHOWN int mkdir(const char *path, mode_t mode) {
    return mkdirat(AT_FDCWD, path, mode);
}

// Sockets

SHOWN ssize_t send(int fd, const void *bytes, size_t size, int flags) {
    return on_socket("send", fd,
                     [&] { return ::syscall(SYS_sendto, fd, bytes, size, flags, nullptr, 0); });
}
SHOWN ssize_t sendto(int fd, const void *bytes, size_t size, int flags, const sockaddr *to,
                     socklen_t length) {
    return on_socket("send", fd,
                     [&] { return ::syscall(SYS_sendto, fd, bytes, size, flags, to, length); });
}
SHOWN ssize_t sendmsg(int fd, const msghdr *message, int flags) {
    return on_socket("send", fd, [&] { return ::syscall(SYS_sendmsg, fd, message, flags); });
}
SHOWN ssize_t recv(int fd, void *room, size_t size, int flags) {
    return received("receive", fd, [&] {
        return ::syscall(SYS_recvfrom, fd, room, size, flags, nullptr, nullptr);
    });
}
SHOWN ssize_t __recv_chk(int fd, void *room, size_t size, size_t, int flags) {
    return recv(fd, room, size, flags);
}
SHOWN ssize_t recvfrom(int fd, void *room, size_t size, int flags, sockaddr *from,
                       socklen_t *length) {
    return received("receive", fd,
                    [&] { return ::syscall(SYS_recvfrom, fd, room, size, flags, from, length); });
}
SHOWN ssize_t recvmsg(int fd, msghdr *message, int flags) {
    return received("receive", fd, [&] { return ::syscall(SYS_recvmsg, fd, message, flags); });
}
SHOWN ssize_t read(int fd, void *room, size_t size) {
    const auto call = [&] { return ::syscall(SYS_read, fd, room, size); };
    Act act("receive");
    return shim != nullptr && is_peer(fd, act) ? received("receive", fd, call) : call();
}
SHOWN ssize_t __read_chk(int fd, void *room, size_t size, size_t) {
    return read(fd, room, size);
}
SHOWN int connect(int fd, const sockaddr *to, socklen_t length) {
    return static_cast<int>(
        on_socket("connect", fd, [&] { return ::syscall(SYS_connect, fd, to, length); }));
}
SHOWN int shutdown(int fd, int how) {
    return static_cast<int>(
        on_socket("shutdown", fd, [&] { return ::syscall(SYS_shutdown, fd, how); }));
}

// The wall clock

SHOWN int clock_gettime(clockid_t clock, timespec *now) {
    static auto *real = next<int(clockid_t, timespec *)>("clock_gettime");
    const int result = real(clock, now);
    if (result == 0 && clock == CLOCK_REALTIME && shim != nullptr)
        now->tv_sec -= static_cast<time_t>(shim->control->shift);
    return result;
}
SHOWN time_t time(time_t *out) {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    if (out != nullptr) *out = now.tv_sec;
    return now.tv_sec;
}
SHOWN int gettimeofday(timeval *now, void *) {
    timespec precise{};
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}
