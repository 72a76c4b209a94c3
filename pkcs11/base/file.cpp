#include "base/file.hpp"

#include "base/handle.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace demail {

namespace {

[[noreturn]] void fail(const std::string &path, int error = errno) {
    throw std::system_error(error, std::generic_category(), path);
}

} // namespace

std::optional<std::string> read_file(const std::string &path, std::size_t limit) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) {
        if (errno == ENOENT) return std::nullopt;
        fail(path);
    }
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) fail(path);
    if (!S_ISREG(status.st_mode)) fail(path, EINVAL);
    std::string bytes;
    std::string buffer(64 * 1024, '\0');
    while (true) {
        const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail(path);
        if (got == 0) return bytes;
        bytes.append(buffer.data(), static_cast<std::size_t>(got));
        if (bytes.size() > limit) fail(path, EFBIG);
    }
}

bool write_whole(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

void replace_file(const std::string &path, std::string_view bytes, mode_t mode) {
    const std::string beside = path + ".new";
    ::unlink(beside.c_str());
    {
        const Fd fd(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
        if (!fd || ::fchmod(fd.get(), mode) != 0) fail(beside);
        if (!write_whole(fd.get(), bytes) || ::fsync(fd.get()) != 0) fail(beside);
    }
    if (::rename(beside.c_str(), path.c_str()) != 0) fail(path);
    const std::size_t slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    const Fd opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened || ::fsync(opened.get()) != 0) fail(directory);
}

} // namespace demail
