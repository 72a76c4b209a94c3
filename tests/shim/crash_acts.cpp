#include "crash_acts.hpp"

#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/un.h>

#include <algorithm>
#include <climits>
#include <csignal>
#include <cstdlib>

namespace demail::crash {

Shim *shim = nullptr;

namespace {

__attribute__((constructor)) void load() {
    const char *control = std::getenv("DEMAIL_CRASH_CONTROL");
    const char *log = std::getenv("DEMAIL_CRASH_LOG");
    const char *files = std::getenv("DEMAIL_CRASH_FILES");
    const char *lmtp = std::getenv("DEMAIL_CRASH_LMTP");
    // postmap and other programs that the relay starts are not what is looked at.
    const std::string_view program = program_invocation_short_name;
    if ((program != "demail-relay" && program != "demailctl") || control == nullptr) return;
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

} // namespace

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

std::string absolute(int directory, const char *path) {
    if (path[0] == '/') return path;
    if (directory != AT_FDCWD) return path_of(directory) + '/' + path;
    char here[PATH_MAX];
    return std::string(::getcwd(here, sizeof here) != nullptr ? here : "") + '/' + path;
}

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

} // namespace demail::crash
