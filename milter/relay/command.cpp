#include "relay/command.hpp"

#include "base/handle.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>

namespace demail::relay {

namespace {

constexpr std::chrono::seconds limit{30};
constexpr std::size_t output_limit = 1024 * 1024, errors_limit = 65536;

std::string path_of(const std::string &program) {
    for (const char *directory : {"/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"})
        if (::access((directory + program).c_str(), X_OK) == 0) return directory + program;
    return {};
}

/// Reads until end of file or the deadline; false at the deadline or past the limit.
bool read_all(int fd, std::string &out) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    std::array<char, 8192> buffer;
    while (out.size() < output_limit) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        pollfd waiting{fd, POLLIN, 0};
        if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) == 0)
            return false;
        const ssize_t got = ::read(fd, buffer.data(), buffer.size());
        if (got == 0) return true;
        if (got > 0)
            out.append(buffer.data(), static_cast<std::size_t>(got));
        else if (errno != EINTR)
            return false;
    }
    return false;
}

std::string first_bytes(int fd) {
    std::string text(errors_limit, '\0');
    const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
}

} // namespace

CommandResult run_command(const std::vector<std::string> &argv, Errors errors,
                          std::string_view input) {
    const std::string program = path_of(argv.at(0));
    std::array<int, 2> ends{};
    if (program.empty() || ::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
    const Fd reading(ends[0]);
    Fd writing(ends[1]);

    // Files in memory: what comes there needs nobody who reads or writes it meanwhile.
    const Fd said(errors == Errors::kept ? ::memfd_create("stderr", MFD_CLOEXEC) : -1);
    const Fd told(::memfd_create("stdin", MFD_CLOEXEC));
    if ((errors == Errors::kept && !said) || !told ||
        ::pwrite(told.get(), input.data(), input.size(), 0) != static_cast<ssize_t>(input.size()))
        return {};

    std::vector<char *> arguments;
    for (const std::string &one : argv)
        arguments.push_back(const_cast<char *>(one.c_str()));
    arguments.push_back(nullptr);
    std::array<char *, 1> environment{nullptr};

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, told.get(), 0);
    posix_spawn_file_actions_adddup2(&actions, writing.get(), 1);
    if (said) posix_spawn_file_actions_adddup2(&actions, said.get(), 2);
    posix_spawnattr_t
        attributes; // the daemon blocks signals in all threads: a child must not inherit that
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    pid_t pid = -1;
    const int failed = ::posix_spawn(&pid, program.c_str(), &actions, &attributes, arguments.data(),
                                     environment.data());
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) return {};
    writing.reset();

    CommandResult result;
    if (!read_all(reading.get(), result.output)) ::kill(pid, SIGKILL);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status)) result.exit_status = WEXITSTATUS(status);
    if (said) result.errors = first_bytes(said.get());
    return result;
}

} // namespace demail::relay
