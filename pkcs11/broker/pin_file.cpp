#include "broker/pin_file.hpp"

#include "base/handle.hpp"
#include "wire/message.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace demail::broker {

std::variant<Secret, std::string> read_pin(int fd, const std::string &called) {
    // Two octets more than a PIN may have: its line's end, and one that shows that it is too long.
    Secret line(wire::limit::pin + 2);
    for (;;) {
        const std::size_t had = line.size();
        if (had == line.capacity()) return fmt::format("{} holds more than a PIN.", called);
        line.resize(line.capacity());
        const ssize_t got = ::read(fd, line.data() + had, line.capacity() - had);
        const int error = errno;
        line.resize(had + (got > 0 ? static_cast<std::size_t>(got) : 0));
        if (got < 0 && error == EINTR) continue;
        if (got < 0) return fmt::format("{} cannot be read: {}.", called, std::strerror(error));
        if (got == 0) break;
    }
    std::size_t size = line.size();
    if (size > 0 && line.view()[size - 1] == '\n') --size;
    if (size > 0 && line.view()[size - 1] == '\r') --size;
    line.resize(size);
    if (line.view().find('\n') != std::string_view::npos)
        return fmt::format("{} holds more than one line.", called);
    if (line.empty()) return fmt::format("{} is empty.", called);
    if (line.size() > wire::limit::pin) return fmt::format("{} holds more than a PIN.", called);
    return line;
}

std::variant<Secret, std::string> read_pin_file(const std::string &path) {
    const std::string called = "PIN file " + path;
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0)
        return fmt::format("{} cannot be read: {}.", called, std::strerror(errno));
    if (!S_ISREG(status.st_mode)) return called + " is no regular file.";
    if ((status.st_mode & 0137) != 0)
        return fmt::format("{} has mode {:04o}; at most 0640 is allowed.", called,
                           status.st_mode & 07777U);
    return read_pin(fd.get(), called);
}

} // namespace demail::broker
