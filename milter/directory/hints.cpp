#include "directory/hints.hpp"

#include "admin/hints_files.hpp"
#include "base/log.hpp"
#include "directory/output_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <variant>

namespace demail::directory {

namespace {

using dns::SrvAnswer;

/// Each takes some seconds, in which no rule comes from LDAP.
constexpr int most_timeouts_in_a_row = 3, most_timeouts = 10;

void tell(std::string_view said, const DomainNames &domains, const DomainNames &without) {
    for (const std::string &domain : domains)
        if (!without.contains(domain))
            log::event(log::Level::notice, "hints", {{"domain", domain}, {"dns", said}});
}

void tell_of_not_known(const std::vector<std::string> &domains) {
    if (domains.empty()) return;
    log::event(log::Level::warning, "hints",
               {{"not_known", std::to_string(domains.size())},
                {"domain", domains.front()},
                {"reason", "DNS gives no answer that can be used, for this domain for one: what "
                           "was known stays until it is asked again"}});
}

} // namespace

HintAnswers ask_for_hints(const DomainNames &watched, const DomainNames &before,
                          const std::function<SrvAnswer(const std::string &)> &ask) {
    HintAnswers answers;
    int timeouts = 0, in_a_row = 0;
    for (const std::string &domain : watched) {
        const SrvAnswer answer = ask(domain);
        const bool known = answer == SrvAnswer::de_mail || answer == SrvAnswer::none;
        if (answer == SrvAnswer::de_mail || (!known && before.contains(domain)))
            answers.hinted.insert(domain);
        if (!known) answers.not_known.push_back(domain);
        in_a_row = answer == SrvAnswer::timeout ? in_a_row + 1 : 0;
        timeouts += answer == SrvAnswer::timeout ? 1 : 0;
        if (in_a_row == most_timeouts_in_a_row || timeouts == most_timeouts) return answers;
    }
    answers.complete = watched.empty() || answers.not_known.size() < watched.size();
    return answers;
}

bool hints_due(const HintsConfiguration &wish, const std::string &configuration_file,
               std::int64_t now) {
    struct stat written {};
    if (::stat(wish.file.c_str(), &written) != 0) return true;
    const std::int64_t age = now - written.st_mtim.tv_sec;
    if (age < 0 || age >= wish.refresh.count()) return true;
    for (const std::string &source : {wish.watched, configuration_file}) {
        struct stat status {};
        // Changed within the same second may be changed behind it.
        if (::stat(source.c_str(), &status) != 0 || status.st_ctim.tv_sec >= written.st_mtim.tv_sec)
            return true;
    }
    return false;
}

std::string fetch_hints(const HintsConfiguration &wish, std::int64_t now) {
    auto watched = read_watched_domains(wish);
    if (auto *sentence = std::get_if<std::string>(&watched)) return std::move(*sentence);
    std::variant<DomainNames, std::string> before;
    if (::access(wish.file.c_str(), F_OK) == 0) before = read_hinted_domains(wish);
    if (const auto *sentence = std::get_if<std::string>(&before))
        return *sentence +
               " Delete it: it is written anew, and the relay keeps its hints until then.";
    const auto &known = std::get<DomainNames>(before);
    const HintAnswers answers = ask_for_hints(std::get<DomainNames>(watched), known, dns::ask_srv);
    if (!answers.complete)
        return fmt::format("DNS does not answer, for {} for one: the list of domains that it names "
                           "as De-Mail stays as it is; see /etc/resolv.conf.",
                           answers.not_known.front());
    const auto written = write_output(wish.file, "the list of domains that DNS names as De-Mail",
                                      domain_lines(answers.hinted));
    if (!written.fault.empty()) return written.fault;
    const timespec times[2] = {{now, 0}, {now, 0}};
    ::utimensat(AT_FDCWD, wish.file.c_str(), times, 0);
    tell("is a De-Mail domain", answers.hinted, known);
    tell("is no De-Mail domain, or is not watched any more", known, answers.hinted);
    tell_of_not_known(answers.not_known);
    return "";
}

} // namespace demail::directory
