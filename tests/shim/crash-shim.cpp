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
#include "crash_acts.hpp"

#include <dlfcn.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <cstdarg>
#include <ctime>

using namespace demail::crash;

namespace {

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

/// A write of what another file holds. The offsets are as copy_file_range(2) takes them: null is
/// the file's own position.
template <typename Call>
long copied(int from, const off_t *from_offset, int to, const off_t *to_offset, Call call) {
    Act act("write");
    if (!is_watched(to, act)) return call();
    off_t source = from_offset != nullptr ? *from_offset : ::syscall(SYS_lseek, from, 0, SEEK_CUR);
    act.offset = to_offset != nullptr ? *to_offset : ::syscall(SYS_lseek, to, 0, SEEK_CUR);
    std::string bytes;
    return on_file(act, call, [&](long result) {
        bytes.resize(static_cast<std::size_t>(result));
        ::syscall(SYS_pread64, from, bytes.data(), bytes.size(), source);
        act.length = bytes.size();
        act.bytes = bytes;
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
SHOWN ssize_t copy_file_range(int from, off64_t *from_offset, int to, off64_t *to_offset,
                              size_t size, unsigned flags) {
    return copied(from, from_offset, to, to_offset, [&] {
        return ::syscall(SYS_copy_file_range, from, from_offset, to, to_offset, size, flags);
    });
}
SHOWN ssize_t sendfile(int to, int from, off_t *offset, size_t size) {
    const auto call = [&] { return ::syscall(SYS_sendfile, to, from, offset, size); };
    Act act("send");
    return shim != nullptr && is_peer(to, act) ? on_socket("send", to, call)
                                               : copied(from, offset, to, nullptr, call);
}
SHOWN ssize_t sendfile64(int to, int from, off64_t *offset, size_t size) {
    return sendfile(to, from, offset, size);
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
