#include "base/handle.hpp"
#include "broker/access.hpp"
#include "broker/configuration.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace demail::broker {
namespace {

/// systemd mounts a unit's credentials here, for that unit alone (systemd.exec(5)).
constexpr std::string_view credentials = "/run/credentials/";

class FileCheck {
  public:
    explicit FileCheck(std::string file) : file_(std::move(file)) {}

    void pin_file(const std::string &path) {
        if (path.empty()) return;
        struct stat status {};
        if (::stat(path.c_str(), &status) != 0) {
            const std::string sentence =
                fmt::format("PIN file {} cannot be used: {}.", path, std::strerror(errno));
            // Seen from outside the unit it is never there.
            if (path.starts_with(credentials))
                report_.warnings.push_back({file_, 0, 0, "warning: " + sentence});
            else
                fault(sentence);
        } else if (!S_ISREG(status.st_mode)) {
            fault(fmt::format("PIN file {} is no regular file.", path));
        } else if ((status.st_mode & 0137) != 0) {
            fault(fmt::format("PIN file {} has mode {:04o}; at most 0640 is allowed.", path,
                              status.st_mode & 07777U));
        }
    }

    void module(const std::string &path) {
        if (path.empty()) return;
        struct stat status {};
        if (::stat(path.c_str(), &status) != 0)
            fault(fmt::format("module {} cannot be used: {}.", path, std::strerror(errno)));
        else if (!S_ISREG(status.st_mode) || (status.st_mode & 0022) != 0)
            fault(fmt::format("module {} must be a file that its group and others cannot write.",
                              path));
    }

    void state(const std::string &path) {
        struct stat status {};
        if (::stat(path.c_str(), &status) != 0) {
            // The daemon makes it; systemd's StateDirectory= does so before.
            if (errno != ENOENT)
                fault(fmt::format("state {} cannot be used: {}.", path, std::strerror(errno)));
        } else if (!S_ISDIR(status.st_mode)) {
            fault(fmt::format("state {} is no directory.", path));
        } else if ((status.st_mode & 0022) != 0) {
            fault(fmt::format("state {} has mode {:04o}; nobody but its owner may write there.",
                              path, status.st_mode & 07777U));
        }
    }

    void names(const AllowRule &rule) {
        // A rule for a name that does not exist yet allows nobody.
        if (!rule.user.empty() && !user_number(rule.user))
            warn(fmt::format("[[allow]]: there is no user \"{}\".", rule.user));
        if (!rule.group.empty() && ::getgrnam(rule.group.c_str()) == nullptr)
            warn(fmt::format("[[allow]]: there is no group \"{}\".", rule.group));
    }

    ConfigurationReport take() { return std::move(report_); }

  private:
    void fault(std::string sentence) {
        report_.faults.push_back({file_, 0, 0, std::move(sentence)});
    }
    void warn(const std::string &sentence) {
        report_.warnings.push_back({file_, 0, 0, "warning: " + sentence});
    }

    std::string file_;
    ConfigurationReport report_;
};

} // namespace

ConfigurationReport check_files(const Configuration &configuration, const std::string &file) {
    FileCheck check(file);
    check.state(configuration.state);
    for (const TokenRule &rule : configuration.tokens) {
        check.pin_file(rule.pin_file);
        check.module(rule.module);
    }
    for (const AllowRule &rule : configuration.allowed)
        check.names(rule);
    ConfigurationReport report = check.take();
    report.warnings.insert(report.warnings.begin(), configuration.warnings.begin(),
                           configuration.warnings.end());
    return report;
}

} // namespace demail::broker
