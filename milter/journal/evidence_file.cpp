#include "journal/evidence_file.hpp"

#include "base/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace demail::journal {

namespace {

constexpr const char *lines_name = "attempts.jsonl";
constexpr std::size_t at_once = 1U << 30;

Fd nameless(int directory) {
    return Fd(::openat(directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
}

bool give_name(int file, int directory, const std::string &name) {
    return ::linkat(AT_FDCWD, fmt::format("/proc/self/fd/{}", file).c_str(), directory,
                    name.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

/// In the kernel; file systems that can share blocks do.
bool copy(int to, const FileRegion &from) {
    off_t offset = from.offset;
    std::uint64_t left = from.length;
    bool shared = true;
    while (left > 0) {
        const std::size_t take = std::min<std::uint64_t>(left, at_once);
        const ssize_t done = shared ? ::copy_file_range(from.fd, &offset, to, nullptr, take, 0)
                                    : ::sendfile(to, from.fd, &offset, take);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0 && shared &&
            (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)) {
            shared = false;
            continue;
        }
        if (done == 0) errno = EIO; // the file is shorter than it was
        if (done <= 0) return false;
        left -= static_cast<std::uint64_t>(done);
    }
    return true;
}

} // namespace

bool put_file(int directory, const std::string &name, std::string_view head,
              const FileRegion &body) {
    const Fd file = nameless(directory);
    return file && write_whole(file.get(), head) && (body.fd < 0 || copy(file.get(), body)) &&
           ::fdatasync(file.get()) == 0 && give_name(file.get(), directory, name);
}

bool link_or_copy(int directory, const std::string &name, const FileRegion &file) {
    if (::fdatasync(file.fd) != 0) return false;
    if (give_name(file.fd, directory, name) || errno == EEXIST) return true;
    // The spool lies on a file system of its own.
    return errno == EXDEV && (put_file(directory, name, {}, file) || errno == EEXIST);
}

bool holds(int directory, const std::string &name, std::string_view head, std::uint64_t length) {
    const Fd file(::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0 ||
        static_cast<std::uint64_t>(status.st_size) != head.size() + length)
        return false;
    std::string there(head.size(), '\0');
    std::size_t got = 0;
    while (got < there.size()) {
        const ssize_t more = ::read(file.get(), there.data() + got, there.size() - got);
        if (more < 0 && errno == EINTR) continue;
        if (more <= 0) return false;
        got += static_cast<std::size_t>(more);
    }
    return there == head;
}

Fd open_lines(int directory) {
    Fd file(::openat(directory, lines_name, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
                     0600));
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0) return {};
    char last = '\n';
    if (status.st_size > 0 && ::pread(file.get(), &last, 1, status.st_size - 1) != 1) return {};
    if (last != '\n' && !write_whole(file.get(), "\n")) return {};
    return file;
}

} // namespace demail::journal
