#include "programs/ctl_domain_files.hpp"

#include "filter/domain_list.hpp"
#include "relay/command.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace demail::ctl {

namespace {

constexpr const char *suffixes[] = {".db", ".lmdb", ".cdb"};

relay::CommandResult ask_postfix(const char *program, const Configuration &configuration,
                                 const std::vector<std::string> &arguments) {
    std::vector<std::string> argv{program};
    if (!configuration.postfix_configuration.empty())
        argv.insert(argv.end(), {"-c", configuration.postfix_configuration});
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return relay::run_command(argv);
}

/// "" where Postfix does not say.
std::string database_type(const Configuration &configuration) {
    auto asked = ask_postfix("postconf", configuration, {"-h", "default_database_type"});
    while (!asked.output.empty() && asked.output.back() == '\n')
        asked.output.pop_back();
    return asked.exit_status == 0 ? asked.output : "";
}

std::string index_name(const std::string &path, const std::string &type) {
    if (type == "lmdb" || type == "cdb") return path + '.' + type;
    if (!type.empty()) return path + ".db";
    for (const char *suffix : suffixes)
        if (::access((path + suffix).c_str(), F_OK) == 0) return path + suffix;
    return "";
}

Finding look_at_text(const std::string &file, const std::optional<DomainSet> &list,
                     const char *what) {
    const std::string name = "domain list";
    if (list)
        return {name, Verdict::good, fmt::format("{} has {} entries", file, list->all().size())};
    if (::access(file.c_str(), R_OK) == 0)
        return {name, Verdict::bad,
                fmt::format("{}, {}, is damaged or was not written by demail-relay: the milter "
                            "answers 451 for De-Mails. Delete it and restart demail-relay, which "
                            "writes it anew",
                            file, what)};
    if (errno == EACCES)
        return {
            name, Verdict::unknown,
            fmt::format("{}, {}, cannot be told: you may not read it; try it as root", file, what)};
    return {name, Verdict::bad,
            fmt::format("{}, {}, is missing: the milter answers 451 for De-Mails. Start "
                        "demail-relay, which writes it; where it runs, demailctl domains --refresh",
                        file, what)};
}

Finding look_at_index(const Configuration &configuration, const std::string &file,
                      const std::string &type) {
    const std::string name = "domain index";
    const std::string table = (type.empty() ? "hash" : type) + ':' + configuration.domains;
    const std::string mend =
        fmt::format("Start demail-relay, which makes it, or where it runs: demailctl domains "
                    "--refresh; or make it at once by: postmap {}",
                    table);
    struct stat status {};
    if (file.empty() || ::stat(file.c_str(), &status) != 0) {
        if (!file.empty() && errno == EACCES)
            return {name, Verdict::unknown,
                    file + " cannot be told: you may not look there; try it as root"};
        return {name, Verdict::bad,
                fmt::format("{} is missing: Postfix answers 451 for all mail, ordinary mail too, "
                            "until it is there. {}",
                            file.empty() ? configuration.domains + ".db" : file, mend)};
    }
    if (::access(file.c_str(), R_OK) != 0)
        return {name, Verdict::unknown,
                file + " cannot be told: you may not read it; try it as root"};
    if (type.empty())
        return {name, Verdict::unknown,
                file + " is there, but postconf does not say whether it is the one that Postfix "
                       "reads"};
    // Read as Postfix reads it: a file that is there may be damaged all the same.
    if (!S_ISREG(status.st_mode) || status.st_size == 0 ||
        ask_postfix("postmap", configuration, {"-q", "de-mail.de", table}).exit_status != 0)
        return {name, Verdict::bad,
                fmt::format("Postfix does not find de-mail.de in {}: it is damaged or empty, mail "
                            "may be answered 451 and no De-Mail leaves. Make it anew by: postmap "
                            "{}",
                            file, table)};
    return {name, Verdict::good, file + " is read by Postfix"};
}

} // namespace

Verdict DomainFiles::verdict() const {
    Verdict all = Verdict::good;
    for (const Finding &one : findings)
        all = worse(all, one.verdict);
    return all;
}

DomainFiles look_at_domain_files(const Configuration &configuration) {
    DomainFiles files;
    files.text_file = configuration.domains;
    files.indexed_file = configuration.domains + ".indexed";
    const std::string type = database_type(configuration);
    files.index_file = index_name(configuration.domains, type);
    files.text = filter::read_domain_list(files.text_file);
    files.indexed = filter::read_domain_list(files.indexed_file);
    files.findings.push_back(look_at_text(files.text_file, files.text, "the list"));
    const Finding companion =
        look_at_text(files.indexed_file, files.indexed, "the text of the index");
    if (companion.verdict != Verdict::good) files.findings.push_back(companion);
    files.findings.push_back(look_at_index(configuration, files.index_file, type));
    return files;
}

std::vector<ListedDomain> listed_domains(const DomainSet &text, const DomainSet &indexed) {
    using Where = ListedDomain::Where;
    std::map<std::string, ListedDomain> found;
    for (const auto &[domain, state] : indexed.all())
        found[domain] = {domain, state, Where::index_only};
    for (const auto &[domain, state] : text.all())
        found[domain] = {domain, state,
                         indexed.all().contains(domain) ? Where::both : Where::text_only};
    std::vector<ListedDomain> sorted;
    for (auto &[domain, listed] : found)
        sorted.push_back(std::move(listed));
    return sorted;
}

} // namespace demail::ctl
