#include "admin/daemon.hpp"
#include "base/handle.hpp"
#include "check.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

/// A directory of its own, removed at the end.
struct Directory {
    std::string path = "daemon-test-XXXXXX";
    Directory() {
        if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path = std::filesystem::absolute(path);
    }
    ~Directory() { std::filesystem::remove_all(path); }
    std::string write(const std::string &name, const std::string &text, mode_t mode) const {
        const std::string file = path + "/" + name;
        std::ofstream(file) << text;
        ::chmod(file.c_str(), mode);
        return file;
    }
};

struct Started {
    std::optional<int> code;
    std::string out, err;
    demail::DaemonOptions options;
};

std::string contents(const std::string &file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// Runs start_daemon with both outputs going to files.
Started start(const Directory &directory, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "demail-milter");
    std::vector<char *> argv;
    for (std::string &one : arguments)
        argv.push_back(one.data());
    argv.push_back(nullptr);
    const std::string out = directory.path + "/out", err = directory.path + "/err";
    Started started;
    std::fflush(nullptr);
    const demail::Fd old_out(::dup(1)), old_err(::dup(2));
    const demail::Fd new_out(::open(out.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600));
    const demail::Fd new_err(::open(err.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600));
    ::dup2(new_out.get(), 1);
    ::dup2(new_err.get(), 2);
    started.code = demail::start_daemon(static_cast<int>(arguments.size()), argv.data(),
                                        "demail-milter", "Seals De-Mails", false, started.options);
    std::cout.flush();
    std::fflush(nullptr);
    ::dup2(old_out.get(), 1);
    ::dup2(old_err.get(), 2);
    started.out = contents(out);
    started.err = contents(err);
    return started;
}

std::string good_file(const Directory &directory) {
    const std::string key = directory.write("seal.key", "k1 " + std::string(64, 'a') + "\n", 0640);
    const std::string ended = directory.write("ended.toml", "", 0644);
    return directory.write("demail.toml",
                           "[seal]\nkey_file = \"" + key +
                               "\"\n[policy]\nshipped_ended_providers = \"" + ended + "\"\n",
                           0644);
}

/// Where sd_notify's datagrams go.
struct NotifySocket {
    demail::Fd fd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    explicit NotifySocket(const std::string &path) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        if (::bind(fd.get(), reinterpret_cast<sockaddr *>(&address), sizeof address) != 0)
            throw std::runtime_error("bind");
        const timeval patience{5, 0};
        ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    }
    ~NotifySocket() {
        ::unsetenv("NOTIFY_SOCKET");
        ::unsetenv("WATCHDOG_USEC");
    }
    [[nodiscard]] std::string next() const {
        char buffer[512];
        const ssize_t got = ::recv(fd.get(), buffer, sizeof buffer, 0);
        return got < 0 ? "" : std::string(buffer, static_cast<std::size_t>(got));
    }
};

} // namespace

static void help_and_version_end_well() {
    const Directory directory;
    CHECK_EQUAL(start(directory, {"--help"}).code.value_or(-1), 0);
    const Started version = start(directory, {"--version"});
    CHECK_EQUAL(version.code.value_or(-1), 0);
    CHECK(version.out.starts_with("demail-milter 0."));
}

static void an_unknown_option_is_a_usage_error() {
    const Directory directory;
    const Started started = start(directory, {"--conifg", "x"});
    CHECK_EQUAL(started.code.value_or(-1), 64);
    CHECK(started.err.find("--conifg") != std::string::npos);
    CHECK_EQUAL(start(directory, {"--config"}).code.value_or(-1), 64);
}

static void a_good_configuration_is_called_good() {
    const Directory directory;
    const std::string file = good_file(directory);
    const Started started = start(directory, {"--check-config", "--config", file});
    CHECK_EQUAL(started.err, "");
    CHECK_EQUAL(started.out, file + ": good\n");
    CHECK_EQUAL(started.code.value_or(-1), 0);
}

static void faults_go_to_standard_error_with_their_place() {
    const Directory directory;
    const std::string file = directory.write("demail.toml", "mode = 1\n[sael]\n", 0644);
    const Started started = start(directory, {"--check-config", "--config", file});
    CHECK_EQUAL(started.code.value_or(-1), 78);
    CHECK_EQUAL(started.out, "");
    CHECK(started.err.find(file + ":1:8: ") == 0);
    CHECK(started.err.find("\n" + file + ":2:2: ") != std::string::npos);
}

static void a_missing_seal_key_ends_the_start() {
    const Directory directory;
    const std::string file =
        directory.write("demail.toml", "[seal]\nkey_file = \"/nonexistent/seal.key\"\n", 0644);
    const Started started = start(directory, {"--config", file});
    CHECK_EQUAL(started.code.value_or(-1), 78);
    CHECK(started.err.find("/nonexistent/seal.key") != std::string::npos);
}

static void a_start_hands_the_configuration_out() {
    const Directory directory;
    const std::string file = good_file(directory);
    const Started started = start(directory, {"--config", file});
    CHECK(!started.code);
    CHECK_EQUAL(started.options.config_file, file);
    CHECK_EQUAL(started.options.configuration->seal_key_file, directory.path + "/seal.key");
}

static void hangup_reloads_and_terminate_returns() {
    const Directory directory;
    const NotifySocket socket(directory.path + "/notify");
    int reloads = 0;
    std::thread server([&] {
        demail::serve_signals({[&] {
            if (++reloads == 2) throw std::runtime_error("no");
        }});
    });
    CHECK_EQUAL(socket.next(), "READY=1");
    for (int i = 0; i < 2; ++i) {
        ::kill(::getpid(), SIGHUP);
        CHECK(socket.next().starts_with("RELOADING=1\nMONOTONIC_USEC="));
        CHECK_EQUAL(socket.next(), "READY=1");
    }
    ::kill(::getpid(), SIGTERM);
    CHECK_EQUAL(socket.next(), "STOPPING=1");
    server.join();
    CHECK_EQUAL(reloads, 2);
}

static void the_watchdog_is_fed_while_healthy() {
    const Directory directory;
    const NotifySocket socket(directory.path + "/notify");
    ::setenv("WATCHDOG_USEC", "20000", 1);
    int asked = 0;
    std::thread server([&] {
        demail::serve_signals({}, [&] {
            if (++asked == 3) ::kill(::getpid(), SIGTERM);
            return asked <= 2;
        });
    });
    CHECK_EQUAL(socket.next(), "READY=1");
    CHECK_EQUAL(socket.next(), "WATCHDOG=1");
    CHECK_EQUAL(socket.next(), "WATCHDOG=1");
    CHECK_EQUAL(socket.next(), "STOPPING=1");
    server.join();
}

int main() {
    demail::block_signals();
    return demail::test::run(
        "daemon",
        {TEST(help_and_version_end_well), TEST(an_unknown_option_is_a_usage_error),
         TEST(a_good_configuration_is_called_good),
         TEST(faults_go_to_standard_error_with_their_place),
         TEST(a_missing_seal_key_ends_the_start), TEST(a_start_hands_the_configuration_out),
         TEST(hangup_reloads_and_terminate_returns), TEST(the_watchdog_is_fed_while_healthy)});
}
