#include "admin/guarded_file.hpp"

#include "base/handle.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace demail {

std::variant<GuardedFile, std::string> read_guarded_file(const std::string &path,
                                                         std::string_view what, mode_t forbidden,
                                                         std::string_view chmod,
                                                         std::size_t limit) {
    const auto unreadable = [&] {
        return fmt::format("{} {} cannot be read: {}.", what, path, std::strerror(errno));
    };
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    GuardedFile file;
    if (!fd || ::fstat(fd.get(), &file.status) != 0) return unreadable();
    if (!S_ISREG(file.status.st_mode)) return fmt::format("{} {} is no regular file.", what, path);
    const mode_t mode = file.status.st_mode & 07777;
    if ((mode & forbidden) != 0)
        return fmt::format("{} {} has mode {:04o}, which lets others {}; run chmod {} {}.", what,
                           path, mode, (mode & forbidden & 0022) != 0 ? "write" : "read or run",
                           chmod, path);
    if (file.status.st_size > 0 && static_cast<std::size_t>(file.status.st_size) <= limit)
        file.text.reserve(static_cast<std::size_t>(file.status.st_size));
    char buffer[65536];
    while (file.text.size() <= limit) {
        const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return unreadable();
        if (got == 0) return file;
        file.text.append(buffer, static_cast<std::size_t>(got));
    }
    return fmt::format("{} {} is larger than {} MiB.", what, path, limit >> 20);
}

} // namespace demail
