#include "relay/domain_files.hpp"

#include "base/file.hpp"
#include "relay/command.hpp"
#include "relay/domain_tables.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace demail::relay {

namespace {

constexpr mode_t world_readable = 0644; // Postfix's own users read list and index
constexpr const char *making = ".making";
constexpr const char *hidden = ".hidden";

std::vector<std::string> postfix(std::vector<std::string> argv, const std::string &configuration) {
    if (!configuration.empty()) argv.insert(argv.begin() + 1, {"-c", configuration});
    return argv;
}

} // namespace

DomainFiles::DomainFiles(std::string path, std::string postfix_configuration)
    : path_(std::move(path)), postfix_configuration_(std::move(postfix_configuration)) {}

void DomainFiles::publish(const DomainSet &next, const Pause &pause) {
    const DomainSet now = current();
    DomainSet both = now;
    for (const auto &[domain, state] : next.all())
        both.set(domain, state);

    if (!index_is(both) && !index_is(next)) {
        say_indexed(make_index(both));
        if (now.str() != next.str() && !pause()) return;
    }
    if (now.str() != next.str() || ::access(path_.c_str(), F_OK) != 0) {
        replace_file(path_, next.str(), world_readable);
        // Postfix warns of an index that is older than its text.
        struct stat status {};
        if (::stat(index_file().c_str(), &status) == 0) {
            const timespec times[2] = {status.st_mtim, status.st_mtim};
            ::utimensat(AT_FDCWD, path_.c_str(), times, 0);
        }
    }
    if (both.str() == next.str() || !pause()) return;
    // Until Postfix has taken the index up, mail to a name that goes would come to us: the milter
    // answers 4xx as long as `.indexed` has the name.
    const std::string beside = make_index(next);
    if (pause()) say_indexed(beside);
}

DomainSet DomainFiles::current() const {
    const auto text = read_file(path_);
    if (!text) return {};
    auto parsed = DomainSet::parse(*text);
    if (!parsed) throw std::runtime_error(path_ + " is damaged: restore it or delete it");
    return *std::move(parsed);
}

DomainMemory DomainFiles::memory() const {
    const auto text = read_file(path_ + ".memory");
    if (!text) return {};
    auto parsed = DomainMemory::parse(*text);
    if (!parsed) throw std::runtime_error(path_ + ".memory is damaged: restore it or delete it");
    return *std::move(parsed);
}

void DomainFiles::remember(const DomainMemory &memory) const {
    replace_file(path_ + ".memory", memory.str(), 0640);
}

/// The file that becomes `.indexed`.
std::string DomainFiles::make_index(const DomainSet &domains) const {
    const std::string beside = path_ + making;
    // Postfix reads this table anew when it sees that the index is another.
    replace_file(path_ + hidden, hidden_text(domains), world_readable);
    replace_file(beside, index_text(domains), world_readable);
    const auto made =
        run_command(postfix({"postmap", database_type() + ":" + beside}, postfix_configuration_));
    if (made.exit_status != 0)
        throw std::runtime_error("postmap could not index " + beside + " as " + database_type());
    const std::string suffix = index_file().substr(path_.size());
    if (::rename((beside + suffix).c_str(), index_file().c_str()) != 0)
        throw std::system_error(errno, std::generic_category(), index_file());
    replace_file(beside, domains.str(), world_readable);
    return beside;
}

void DomainFiles::say_indexed(const std::string &beside) const {
    if (::rename(beside.c_str(), (path_ + ".indexed").c_str()) != 0)
        throw std::system_error(errno, std::generic_category(), path_ + ".indexed");
}

bool DomainFiles::index_is(const DomainSet &domains) const {
    // While there is a file on its way to `.indexed`, the index may be the newer one.
    return ::access(index_file().c_str(), R_OK) == 0 &&
           ::access((path_ + making).c_str(), F_OK) != 0 &&
           read_file(path_ + hidden) == hidden_text(domains) &&
           read_file(path_ + ".indexed") == domains.str();
}

std::string DomainFiles::index_file() const {
    const std::string type = database_type();
    if (type == "lmdb") return path_ + ".lmdb";
    if (type == "cdb") return path_ + ".cdb";
    return path_ + ".db";
}

std::string DomainFiles::database_type() const {
    if (!type_.empty()) return type_;
    auto asked =
        run_command(postfix({"postconf", "-h", "default_database_type"}, postfix_configuration_));
    while (!asked.output.empty() && asked.output.back() == '\n')
        asked.output.pop_back();
    if (asked.exit_status != 0 || asked.output.empty())
        throw std::runtime_error("postconf does not say which database type Postfix uses");
    return type_ = asked.output;
}

} // namespace demail::relay
