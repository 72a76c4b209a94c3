#include "programs/ctl_doctor_host.hpp"

#include "admin/ended_providers_file.hpp"
#include "admin/hints_files.hpp"
#include "admin/senders.hpp"
#include "programs/ctl_domain_files.hpp"
#include "programs/ctl_relay.hpp"
#include "programs/ctl_status.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>

namespace demail::ctl {

namespace {

constexpr const char *as_root = "try it as root";

/// A daemon's user: of the one that listens, else of the package's user.
std::optional<Peer> daemon_at(const std::string &socket, const char *user) {
    if (auto peer = listener_at(socket)) return peer;
    const passwd *entry = ::getpwnam(user);
    if (entry == nullptr) return std::nullopt;
    Peer peer{entry->pw_uid, {}};
    int count = 64;
    peer.groups.resize(static_cast<std::size_t>(count));
    if (::getgrouplist(user, entry->pw_gid, peer.groups.data(), &count) < 0) return std::nullopt;
    peer.groups.resize(static_cast<std::size_t>(count));
    return peer;
}

/// The first of the path's parts that `who` may not pass or read; "": none. nullopt: not told.
std::optional<std::string> closed_part(const Peer &who, const std::string &path) {
    for (std::size_t slash = 0; slash != std::string::npos;) {
        slash = path.find('/', slash + 1);
        const bool whole = slash == std::string::npos;
        const std::string part = path.substr(0, slash);
        struct stat status {};
        if (::stat(part.c_str(), &status) != 0) return std::nullopt;
        if (!may(who, status, whole ? 4 : 1)) return part;
    }
    return "";
}

void check_seal_key(const Configuration &configuration, const char *user, const std::string &socket,
                    Checks &checks) {
    const std::string &file = configuration.seal_key_file;
    Check check{"configuration",
                std::string("seal key for ") + user,
                Verdict::good,
                file,
                std::string(user) + " may read it",
                ""};
    const auto who = daemon_at(socket, user);
    const auto closed = who ? closed_part(*who, file) : std::nullopt;
    if (!who || !closed) {
        check.verdict = Verdict::unknown;
        check.found = who ? "it cannot be looked at: " + std::string(std::strerror(errno))
                          : fmt::format("as whom {} runs is not told: it does not answer you, and "
                                        "there is no user of this name",
                                        user);
        check.remedy = ::geteuid() != 0 ? as_root : fmt::format("start {}", user);
    } else if (!closed->empty()) {
        check.verdict = Verdict::bad;
        check.found =
            fmt::format("{} may not {} {}: {}", user, *closed == file ? "read" : "pass", *closed,
                        std::string_view(user) == "demail-milter"
                            ? "De-Mails are not sealed, and are answered 451"
                            : "no seal can be checked, and De-Mails wait");
        check.remedy = *closed == file
                           ? fmt::format("chown root:demail-seal {0} && chmod 0640 {0}, and see "
                                         "that {1} is in the group demail-seal",
                                         file, user)
                           : "chmod a+x " + *closed;
    }
    checks.push_back(std::move(check));
}

void check_directory(const Configuration &configuration, const char *name, const std::string &path,
                     Checks &checks) {
    Check check{"files", name, Verdict::good, path, "", ""};
    struct stat status {};
    struct statvfs room {};
    const auto relay = daemon_at(configuration.lmtp_socket, "demail-relay");
    constexpr std::uint64_t least = 1U << 30;
    if (::stat(path.c_str(), &status) != 0 || ::statvfs(path.c_str(), &room) != 0) {
        const bool missing = errno == ENOENT;
        check.verdict = missing ? Verdict::bad : Verdict::unknown;
        check.found = missing ? "is not there: De-Mails wait in Postfix's queue"
                              : "cannot be looked at: " + std::string(std::strerror(errno));
        check.remedy =
            missing ? fmt::format("install -d -o demail-relay -g demail-relay -m 0700 {}", path)
                    : as_root;
        checks.push_back(std::move(check));
        return;
    }
    const std::uint64_t left = static_cast<std::uint64_t>(room.f_bavail) * room.f_frsize;
    if ((status.st_mode & 077) != 0) {
        check.verdict = Verdict::bad;
        check.found = fmt::format("has mode {:04o}: others may look into what was sent, and the "
                                  "relay takes no De-Mail",
                                  status.st_mode & 07777);
        check.remedy = "chmod 0700 " + path;
    } else if (relay && relay->uid != status.st_uid) {
        check.verdict = Verdict::bad;
        check.found = "does not belong to demail-relay: De-Mails wait in Postfix's queue";
        check.remedy = "chown -R demail-relay:demail-relay " + path;
    } else if (left < least || (room.f_files > 0 && room.f_favail < 10000)) {
        check.verdict = Verdict::bad;
        check.found = fmt::format("has room for {} MiB and {} files: De-Mails wait in Postfix's "
                                  "queue when it is full",
                                  left >> 20, room.f_favail);
        check.remedy = "make room on its file system; demailctl evidence purge removes what was "
                       "kept long enough";
    } else {
        check.found =
            fmt::format("mode {:04o}, {} MiB are free", status.st_mode & 07777, left >> 20);
    }
    checks.push_back(std::move(check));
}

Check of_finding(const char *group, const Finding &finding, std::string remedy) {
    Check check{group, finding.name, finding.verdict, "", finding.sentence, ""};
    if (check.verdict == Verdict::good) return check;
    // Words that stand beside it already.
    constexpr std::string_view result = "cannot be told: ", advice = "; try it as root";
    if (check.found.starts_with(result)) check.found.erase(0, result.size());
    if (check.found.ends_with(advice)) check.found.erase(check.found.size() - advice.size());
    check.remedy = std::move(remedy);
    return check;
}

/// What status does not say itself.
std::string remedy_for(const Finding &finding) {
    if (finding.verdict == Verdict::unknown && ::geteuid() != 0) return as_root;
    if (finding.name == "demail-milter")
        return "systemctl start demail-milter; why it ended: journalctl -u demail-milter";
    if (finding.name == "demail-relay" || finding.name == "LMTP socket")
        return "systemctl start demail-relay; why it ended: journalctl -u demail-relay";
    return "see demailctl status";
}

void check_journal(const Configuration &configuration, const std::vector<Finding> &findings,
                   Checks &checks) {
    constexpr std::string_view sqlite = "sqlite3://";
    const std::string &url = configuration.journal;
    const bool file = url.starts_with(sqlite);
    Check check{"files",
                "journal",
                Verdict::good,
                file ? url.substr(sqlite.size()) : "PostgreSQL",
                "demail-relay has it open",
                ""};
    const auto relay = std::find_if(findings.begin(), findings.end(),
                                    [](const Finding &one) { return one.name == "demail-relay"; });
    struct stat status {};
    if (file && ::stat(check.where.c_str(), &status) == 0 && (status.st_mode & 007) != 0) {
        check.verdict = Verdict::bad;
        check.found = fmt::format("has mode {:04o}: everybody here may read who wrote to whom",
                                  status.st_mode & 07777);
        check.remedy = "chmod 0600 " + check.where;
    } else if (relay == findings.end() || relay->verdict != Verdict::good) {
        check.verdict = Verdict::unknown;
        check.found = "demail-relay does not answer, and only it opens the journal";
        check.remedy = ::geteuid() != 0 ? as_root : "start demail-relay";
    }
    checks.push_back(std::move(check));
}

/// demail-directory tries each half minute when the time has come; one that fails for a while is no
/// matter.
void check_hints(const Configuration &configuration, Checks &checks) {
    if (!configuration.hints) return;
    constexpr std::chrono::hours slack{1};
    const std::string &file = configuration.hints->file;
    const std::chrono::seconds refresh = configuration.hints->refresh;
    Check check{"files", "hints", Verdict::good, file, "is as new as [hints] refresh wants it", ""};
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) {
        check.verdict = errno == EACCES ? Verdict::unknown : Verdict::bad;
        check.found = errno == EACCES
                          ? "cannot be looked at: " + std::string(std::strerror(errno))
                          : "is not there: no domain is kept from the Internet by what DNS says";
    } else if (std::time(nullptr) - status.st_mtim.tv_sec >
               std::chrono::seconds(refresh + slack).count()) {
        check.verdict = Verdict::bad;
        check.found = fmt::format("is older than the {} s of [hints] refresh: what is new in DNS "
                                  "is not known, what was known stays",
                                  refresh.count());
    }
    if (check.verdict == Verdict::unknown)
        check.remedy = as_root;
    else if (check.verdict == Verdict::bad)
        check.remedy = "systemctl enable --now demail-directory.timer; what fails: journalctl -u "
                       "demail-directory";
    checks.push_back(std::move(check));
}

} // namespace

bool may(const Peer &who, const struct stat &status, mode_t wanted) {
    if (who.uid == 0) return true;
    if (who.uid == status.st_uid) return (status.st_mode & (wanted << 6)) != 0;
    if (std::find(who.groups.begin(), who.groups.end(), status.st_gid) != who.groups.end())
        return (status.st_mode & (wanted << 3)) != 0;
    return (status.st_mode & wanted) != 0;
}

void check_configuration_files(const Configuration &configuration, const std::string &file,
                               Checks &checks) {
    checks.push_back({"configuration", "demail.toml", Verdict::good, file, "is understood", ""});
    if (configuration.observe)
        checks.push_back({"configuration", "mode", Verdict::bad, file,
                          "\"observe\": the milter seals nothing, so that every De-Mail bounces at "
                          "the relay, and strips nothing",
                          "when you have seen enough: mode = \"enforce\""});
    auto faults = check_files(configuration, file, true);
    for (ConfigurationFault &one : check_senders_files(configuration))
        faults.push_back(std::move(one));
    for (ConfigurationFault &one : check_watched_domains(configuration))
        faults.push_back(std::move(one));
    for (const ConfigurationFault &one : faults) {
        const bool closed =
            ::geteuid() != 0 && one.sentence.find(std::strerror(EACCES)) != std::string::npos;
        checks.push_back({"configuration", "named files", closed ? Verdict::unknown : Verdict::bad,
                          file, one.sentence, closed ? as_root : "mend what the sentence names"});
    }
    if (faults.empty())
        checks.push_back({"configuration", "named files", Verdict::good, file,
                          "secrets and certificates can be read, and not by others", ""});
    check_seal_key(configuration, "demail-milter", configuration.milter_socket, checks);
    check_seal_key(configuration, "demail-relay", configuration.lmtp_socket, checks);
}

void check_files_of_relay(const Configuration &configuration, Checks &checks) {
    check_directory(configuration, "evidence", configuration.evidence, checks);
    check_directory(configuration, "spool", configuration.spool, checks);
    check_hints(configuration, checks);
    const DomainFiles files = look_at_domain_files(configuration);
    if (!files.text || !files.indexed) return; // said by status
    Check check{"files", "index and list", Verdict::good, files.text_file, "agree", ""};
    struct stat index {
    }, text{};
    std::string different;
    for (const ListedDomain &one : listed_domains(*files.text, *files.indexed))
        if (one.where != ListedDomain::Where::both)
            different += (different.empty() ? "" : ", ") + one.domain;
    if (!different.empty()) {
        check.verdict = Verdict::unknown;
        check.found = different + ": in one of list and index alone. It is so for some seconds "
                                  "while a domain is added or removed; mail to it is answered 451";
        check.remedy = "look again in a minute; if it stays: demailctl domains --refresh";
    } else if (::stat(files.index_file.c_str(), &index) == 0 &&
               ::stat(files.indexed_file.c_str(), &text) == 0 &&
               (index.st_mtim.tv_sec < text.st_mtim.tv_sec)) {
        check.verdict = Verdict::bad;
        check.where = files.index_file;
        check.found = "is older than " + files.indexed_file +
                      ", the text that it is made from: Postfix may not know a De-Mail domain, and "
                      "its mail leaves as plain mail";
        check.remedy = "delete " + files.indexed_file + " and run demailctl domains --refresh";
    }
    checks.push_back(std::move(check));
}

void check_daemons(const Configuration &configuration, Checks &checks) {
    const auto findings = status_findings(configuration);
    for (const Finding &one : findings)
        checks.push_back(of_finding(one.name.starts_with("domain ") ? "files" : "daemons", one,
                                    remedy_for(one)));
    check_journal(configuration, findings, checks);
}

} // namespace demail::ctl
