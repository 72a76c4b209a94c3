#include "base/listen_unix.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace demail {
namespace {

[[noreturn]] void fail(int error, const std::string &what) {
    throw std::system_error(error, std::generic_category(), what);
}

sockaddr_un address_of(const std::string &path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) fail(ENAMETOOLONG, path);
    path.copy(address.sun_path, path.size());
    return address;
}

const sockaddr *generic(const sockaddr_un &address) {
    return reinterpret_cast<const sockaddr *>(&address);
}

Fd unix_socket() {
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) fail(errno, "socket");
    return fd;
}

/// Throws unless `path` is free or a socket that nobody listens on.
void expect_free(const std::string &path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        if (errno == ENOENT) return;
        fail(errno, path);
    }
    if (!S_ISSOCK(status.st_mode)) fail(EEXIST, path + " is no socket");
    const sockaddr_un address = address_of(path);
    const Fd probe = unix_socket();
    if (::connect(probe.get(), generic(address), sizeof address) == 0 || errno == EAGAIN)
        fail(EADDRINUSE, path + " has a living listener");
    if (errno != ECONNREFUSED && errno != ENOENT) fail(errno, path);
}

/// The name it is made under; removed unless it was renamed.
class TemporaryName {
  public:
    explicit TemporaryName(std::string name) : name_(std::move(name)) { ::unlink(name_.c_str()); }
    TemporaryName(const TemporaryName &) = delete;
    TemporaryName &operator=(const TemporaryName &) = delete;
    ~TemporaryName() {
        if (!name_.empty()) ::unlink(name_.c_str());
    }
    [[nodiscard]] const std::string &str() const noexcept { return name_; }
    void rename(const std::string &path) {
        if (::rename(name_.c_str(), path.c_str()) != 0) fail(errno, path);
        name_.clear();
    }

  private:
    std::string name_;
};

} // namespace

Fd listen_unix(const std::string &path, mode_t mode) {
    expect_free(path);
    // Made under another name and renamed when it is complete: whoever finds `path` finds a socket
    // that listens and has its mode.
    const std::size_t slash = path.rfind('/');
    const std::string directory = slash == path.npos ? "" : path.substr(0, slash + 1);
    TemporaryName temporary(fmt::format("{}.new{}", directory, ::getpid()));
    const sockaddr_un address = address_of(temporary.str());
    Fd fd = unix_socket();
    if (::bind(fd.get(), generic(address), sizeof address) != 0) fail(errno, path);
    if (::chmod(temporary.str().c_str(), mode) != 0) fail(errno, path);
    if (::listen(fd.get(), SOMAXCONN) != 0) fail(errno, path);
    temporary.rename(path);
    return fd;
}

} // namespace demail
