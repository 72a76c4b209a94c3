#include "postgresql_server.hpp"

#include "base/handle.hpp"

#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <vector>

namespace demail::test {

namespace {

using namespace std::chrono_literals;

/// Debian has one directory for each version.
std::string find_programs() {
    std::string found;
    std::error_code none;
    for (const auto &one : std::filesystem::directory_iterator("/usr/lib/postgresql", none))
        if (const std::string path = one.path().string() + "/bin";
            std::filesystem::exists(path + "/initdb") && path > found)
            found = path;
    return found;
}

/// It refuses to run as root.
const passwd *server_user() {
    return ::geteuid() == 0 ? ::getpwnam("postgres") : nullptr;
}

pid_t spawn(std::vector<std::string> words, const std::string &log) {
    const passwd *user = server_user();
    std::vector<char *> arguments;
    for (std::string &word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const pid_t child = ::fork();
    if (child != 0) return child;
    // Where it hangs (SIGSTOP) the test must not get SIGHUP as a member of an orphaned group.
    ::setsid();
    if (user != nullptr && (::setgroups(0, nullptr) != 0 || ::setgid(user->pw_gid) != 0 ||
                            ::setuid(user->pw_uid) != 0))
        ::_exit(126);
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT); // a test that crashes leaves nothing behind
    ::setenv("LC_ALL", "C", 1);
    const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(fd, 1);
    ::dup2(fd, 2);
    ::execv(arguments.front(), arguments.data());
    ::_exit(127);
}

pid_t parent_of(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string text((std::istreambuf_iterator<char>(file)), {});
    const std::size_t name_end = text.rfind(')');
    return name_end == std::string::npos ? 0 : std::atoi(text.c_str() + name_end + 4);
}

} // namespace

bool PostgresqlServer::installed() {
    return !find_programs().empty() && (::geteuid() != 0 || server_user() != nullptr);
}

PostgresqlServer::PostgresqlServer() : programs_(find_programs()) {
    if (const passwd *user = server_user();
        user != nullptr && ::chown(directory_.path().c_str(), user->pw_uid, user->pw_gid) != 0)
        throw std::runtime_error("chown");
    const pid_t made = spawn({programs_ + "/initdb", "-D", directory_.path() + "/data", "-U",
                              "demail", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"},
                             directory_.path() + "/initdb.log");
    int status = 0;
    if (::waitpid(made, &status, 0) != made || status != 0)
        throw std::runtime_error("initdb has failed");
    start();
}

PostgresqlServer::~PostgresqlServer() {
    if (pid_ == 0) return;
    go_on();
    stop();
}

std::string PostgresqlServer::url_of(const std::string &database) const {
    std::string host;
    for (const char c : directory_.path())
        host += c == '/' ? std::string("%2F") : std::string(1, c);
    return "postgresql://demail@" + host + "/" + database;
}

void PostgresqlServer::start() {
    // Without fsync only the machine's own end would lose something, not the server's.
    // After a kill the server waits until its old children have noticed.
    for (int tries = 0; tries < 100; ++tries) {
        pid_ = spawn({programs_ + "/postgres", "-D", directory_.path() + "/data", "-k",
                      directory_.path(), "-c", "listen_addresses=", "-c", "fsync=off"},
                     directory_.path() + "/log");
        while (::waitpid(pid_, nullptr, WNOHANG) == 0) {
            if (::PQping(url_of("postgres").c_str()) == PQPING_OK) return;
            std::this_thread::sleep_for(20ms);
        }
        std::this_thread::sleep_for(100ms);
    }
    pid_ = 0;
    throw std::runtime_error("the test's PostgreSQL does not start");
}

void PostgresqlServer::stop() {
    ::kill(pid_, SIGINT); // "fast"
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
}

void PostgresqlServer::kill() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
}

void PostgresqlServer::signal_all(int number) const {
    for (const auto &one : std::filesystem::directory_iterator("/proc")) {
        const pid_t pid = std::atoi(one.path().filename().c_str());
        if (pid > 0 && (pid == pid_ || parent_of(pid) == pid_)) ::kill(pid, number);
    }
}

void PostgresqlServer::hang() {
    signal_all(SIGSTOP);
}

void PostgresqlServer::go_on() {
    signal_all(SIGCONT);
}

std::string PostgresqlServer::database() {
    const std::string name = "journal_" + std::to_string(++databases_);
    sql(url_of("postgres"), "create database " + name);
    return url_of(name);
}

std::string PostgresqlServer::sql(const std::string &url, const std::string &text) const {
    const Handle<PGconn, ::PQfinish> connection(::PQconnectdb(url.c_str()));
    const Handle<PGresult, ::PQclear> result(::PQexec(connection.get(), text.c_str()));
    const ExecStatusType status = ::PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        throw std::runtime_error(::PQerrorMessage(connection.get()));
    return ::PQntuples(result.get()) == 0 ? "" : ::PQgetvalue(result.get(), 0, 0);
}

} // namespace demail::test
