#include "programs/ctl_journal.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string_view>

namespace demail::ctl {

namespace {

constexpr const char *relay_user = "demail-relay";

struct User {
    uid_t uid;
    gid_t gid;
};

User owner_of(const std::string &what, const std::string &file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0)
        throw std::runtime_error("the " + what + " " + file +
                                 " cannot be read: " + std::strerror(errno));
    return {status.st_uid, status.st_gid};
}

User relays_user() {
    const passwd *entry = ::getpwnam(relay_user);
    if (entry == nullptr) throw std::runtime_error(std::string("there is no user ") + relay_user);
    return {entry->pw_uid, entry->pw_gid};
}

void become(const User &user, const char *else_who) {
    if (::geteuid() == user.uid) return;
    if (::geteuid() != 0) throw std::runtime_error(else_who);
    if (::setgroups(1, &user.gid) != 0 || ::setresgid(user.gid, user.gid, user.gid) != 0 ||
        ::setresuid(user.uid, user.uid, user.uid) != 0)
        throw std::runtime_error(std::string("the relay's user cannot be taken on: ") +
                                 std::strerror(errno));
}

} // namespace

std::unique_ptr<journal::Journal> open_journal(const Configuration &configuration) {
    constexpr std::string_view sqlite = "sqlite3://";
    const std::string &url = configuration.journal;
    become(url.starts_with(sqlite) ? owner_of("journal", url.substr(sqlite.size())) : relays_user(),
           "root can read the journal meanwhile, you may not");
    return journal::Journal::open(url, "demailctl");
}

void become_keeper(const Configuration &configuration) {
    become(owner_of("evidence", configuration.evidence),
           "the evidence is for root and the relay's user alone");
}

std::unique_ptr<journal::Journal> open_journal_to_write(const Configuration &configuration) {
    become_keeper(configuration);
    return journal::Journal::open(configuration.journal, "demailctl");
}

} // namespace demail::ctl
