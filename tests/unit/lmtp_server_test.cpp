#include "base/listen_unix.hpp"
#include "check.hpp"
#include "lmtp_recording.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <thread>

using namespace demail::lmtp;
using demail::Fd;
using demail::listen_unix;
using demail::lmtp::test::Client;
using demail::lmtp::test::Recording;

namespace {

struct Directory {
    std::string path = "lmtp-test-XXXXXX";
    Directory() {
        if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp");
    }
    ~Directory() { std::filesystem::remove_all(path); }
};

Fd connected(const std::string &path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(fd.get(), reinterpret_cast<sockaddr *>(&address), sizeof address) != 0)
        throw std::system_error(errno, std::generic_category(), path);
    return fd;
}

struct Running {
    Directory directory;
    std::string path = directory.path + "/lmtp.sock";
    Recording service;
    Server server;
    std::thread thread;

    explicit Running(Limits limits = {}, uid_t peer = ::getuid())
        : server(listen_unix(path, 0660), {peer}, service, limits),
          thread([this] { server.run(); }) {}
    ~Running() { stop(); }
    void stop() {
        server.stop();
        if (thread.joinable()) thread.join();
    }
    Client client() {
        Client one(connected(path));
        greeting = one.reply();
        return one;
    }
    std::string greeting;
};

void begin_data(Client &client) {
    client.send("LHLO t\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n");
    for (int i = 0; i < 3; ++i)
        client.reply();
    CHECK(client.reply().starts_with("354"));
    client.send("half\r\n");
}

} // namespace

static void connections_are_served_side_by_side() {
    Running running;
    Client first = running.client(), second = running.client();
    begin_data(first);
    begin_data(second);
    CHECK_EQUAL(second.ask("."), "250 2.0.0 <b@x>");
    CHECK_EQUAL(first.ask("."), "250 2.0.0 <b@x>");
}

static void threads_stay_for_the_next_connection() {
    Running running;
    const auto threads = [] {
        return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
    };
    const auto before = threads();
    for (int i = 0; i < 20; ++i) {
        Client client = running.client();
        CHECK_EQUAL(client.code("QUIT"), "221 2.0.0");
        CHECK(client.at_end());
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    CHECK(threads() - before < 5);
}

static void a_stop_lets_idle_connections_go_at_once() {
    Running running;
    Client fresh = running.client(), begun = running.client();
    begun.ask("LHLO t");
    begun.ask("MAIL FROM:<a@x>");
    const auto before = std::chrono::steady_clock::now();
    running.stop();
    CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(1));
    CHECK_EQUAL(fresh.reply().substr(0, 9), "421 4.3.2");
    CHECK(fresh.at_end());
    CHECK_EQUAL(begun.reply().substr(0, 9), "421 4.3.2");
}

static void a_stop_waits_for_a_running_message() {
    Running running;
    Client client = running.client();
    begin_data(client);
    running.server.stop();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    CHECK_EQUAL(running.service.open.load(), 1);
    CHECK_EQUAL(client.ask("."), "250 2.0.0 <b@x>");
    CHECK_EQUAL(client.reply().substr(0, 9), "421 4.3.2");
    running.stop();
    CHECK(running.service.messages().at(0).completed);
}

static void too_many_connections_are_sent_away() {
    Limits limits;
    limits.connections = 1;
    Running running(limits);
    Client first = running.client();
    Client second = running.client();
    CHECK(running.greeting.starts_with("421 4.3.2"));
    CHECK(second.at_end());
    CHECK_EQUAL(first.code("QUIT"), "221 2.0.0");
    CHECK(first.at_end());
    for (int tries = 0; tries < 100 && !running.greeting.starts_with("220"); ++tries)
        running.client();
    CHECK(running.greeting.starts_with("220"));
}

static void a_server_without_descriptors_takes_connections_again_later() {
    Running running;
    rlimit old{};
    ::getrlimit(RLIMIT_NOFILE, &old);
    const Fd next(::dup(0));
    Fd socket = connected(running.path);
    Client warm(std::move(socket));
    CHECK(warm.reply().starts_with("220"));
    // The client's own descriptor is made while there is room, the server's is then one too many.
    Fd waiting(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    rlimit tight = old;
    tight.rlim_cur = static_cast<rlim_t>(waiting.get()) + 1;
    ::setrlimit(RLIMIT_NOFILE, &tight);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    running.path.copy(address.sun_path, sizeof address.sun_path - 1);
    const int result =
        ::connect(waiting.get(), reinterpret_cast<sockaddr *>(&address), sizeof address);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    ::setrlimit(RLIMIT_NOFILE, &old);
    CHECK_EQUAL(result, 0);
    Client late(std::move(waiting));
    CHECK(late.reply().starts_with("220"));
}

static void strangers_are_sent_away_for_now() {
    if (::getuid() != 0) {
        Running running({}, ::getuid() + 1);
        running.client();
        CHECK_EQUAL(running.greeting.substr(0, 9), "421 4.7.0");
        return;
    }
    // Root is let in by every server and has to become somebody else.
    Running running;
    ::chmod(running.directory.path.c_str(), 0755);
    ::chmod(running.path.c_str(), 0666);
    const Fd rest(::open(running.directory.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const std::string path = "/proc/self/fd/" + std::to_string(rest.get()) + "/lmtp.sock";
    std::string greeting;
    if (::seteuid(65534) != 0) throw std::runtime_error("seteuid");
    try {
        Client stranger(connected(path));
        greeting = stranger.reply();
    } catch (const std::system_error &error) {
        greeting = error.what();
    }
    if (::seteuid(0) != 0) throw std::runtime_error("seteuid");
    CHECK_EQUAL(greeting.substr(0, 9), "421 4.7.0");
}

static void a_socket_has_its_mode_from_the_start() {
    const Directory directory;
    const std::string path = directory.path + "/s";
    const Fd fd = listen_unix(path, 0660);
    struct stat status {};
    CHECK_EQUAL(::stat(path.c_str(), &status), 0);
    CHECK_EQUAL(status.st_mode & 07777U, 0660U);
    CHECK_EQUAL(std::distance(std::filesystem::directory_iterator(directory.path), {}), 1);
}

static void a_stale_socket_is_replaced_and_a_living_one_is_not() {
    const Directory directory;
    const std::string path = directory.path + "/s";
    { const Fd stale = listen_unix(path, 0600); }
    const Fd living = listen_unix(path, 0600);
    CHECK_THROWS(listen_unix(path, 0600), std::system_error);
    CHECK(connected(path));
}

static void a_file_in_the_sockets_place_is_left_alone() {
    const Directory directory;
    const std::string path = directory.path + "/s";
    std::ofstream(path) << "mine";
    CHECK_THROWS(listen_unix(path, 0600), std::system_error);
    CHECK_EQUAL(std::filesystem::file_size(path), 4U);
    try {
        static_cast<void>(listen_unix("/nonexistent/s", 0600));
        CHECK(false);
    } catch (const std::system_error &error) {
        CHECK(std::string(error.what()).find("/nonexistent/s") != std::string::npos);
    }
}

int main() {
    return demail::test::run(
        "lmtp_server",
        {TEST(connections_are_served_side_by_side), TEST(threads_stay_for_the_next_connection),
         TEST(a_stop_lets_idle_connections_go_at_once), TEST(a_stop_waits_for_a_running_message),
         TEST(too_many_connections_are_sent_away),
         TEST(a_server_without_descriptors_takes_connections_again_later),
         TEST(strangers_are_sent_away_for_now), TEST(a_socket_has_its_mode_from_the_start),
         TEST(a_stale_socket_is_replaced_and_a_living_one_is_not),
         TEST(a_file_in_the_sockets_place_is_left_alone)});
}
