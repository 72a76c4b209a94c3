#include "programs/ctl_status.hpp"

#include "programs/ctl_block.hpp"
#include "programs/ctl_domain_files.hpp"
#include "programs/ctl_screen.hpp"

#include <fmt/format.h>
#include <unistd.h>

namespace demail::ctl {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

struct Report {
    std::vector<Finding> findings;
    json relay; ///< its own status; null where it did not answer
    bool observing = false;
    Verdict verdict = Verdict::good;
};

Finding relay_finding(const Configuration &configuration, const RelayAnswer &answer) {
    const std::string name = "demail-relay";
    std::string sentence = answer.sentence;
    if (sentence.starts_with(name + " ")) sentence.erase(0, name.size() + 1);
    switch (answer.kind) {
    case RelayAnswer::Kind::answered:
        return {name, Verdict::good, "answers at " + configuration.control_socket};
    case RelayAnswer::Kind::not_there:
        return {name, Verdict::bad,
                sentence + ". De-Mails wait in Postfix's queue until it is back"};
    default:
        return {name, Verdict::unknown, sentence};
    }
}

Report make_report(const Configuration &configuration) {
    Report report;
    report.observing = configuration.observe;
    Finding milter = probe_socket("demail-milter", configuration.milter_socket);
    if (milter.verdict == Verdict::bad)
        milter.sentence += ". Postfix answers 451 for all mail until it is back";
    report.findings.push_back(std::move(milter));
    const RelayAnswer answer = ask_relay(configuration, {"status"});
    report.findings.push_back(relay_finding(configuration, answer));
    report.findings.push_back(probe_socket("LMTP socket", configuration.lmtp_socket));
    const DomainFiles files = look_at_domain_files(configuration);
    report.findings.insert(report.findings.end(), files.findings.begin(), files.findings.end());
    report.findings.push_back(look_at_blocks(configuration));
    if (answer.kind == RelayAnswer::Kind::answered) {
        report.relay = answer.value;
        const auto more = findings_of(answer.value);
        report.findings.insert(report.findings.end(), more.begin(), more.end());
    }
    for (const Finding &one : report.findings)
        report.verdict = worse(report.verdict, one.verdict);
    return report;
}

std::string as_json(const Report &report) {
    ordered_json findings = ordered_json::array();
    for (const Finding &one : report.findings)
        findings.push_back(
            {{"name", one.name}, {"verdict", word(one.verdict)}, {"sentence", one.sentence}});
    const ordered_json whole = {{"verdict", word(report.verdict)},
                                {"mode", report.observing ? "observe" : "enforce"},
                                {"findings", findings},
                                {"relay", report.relay}};
    return whole.dump(2, ' ', true, ordered_json::error_handler_t::replace) + "\n";
}

std::string as_text(const Report &report, const Screen &screen) {
    Table parts({"CHECKED", "STATE", ""});
    if (report.observing)
        parts.add({"mode",
                   {"observe", Tone::warning},
                   "the milter logs what it would do and changes nothing: no De-Mail is sealed"});
    for (const Finding &one : report.findings)
        parts.add({one.name, {std::string(word(one.verdict)), tone_of(one.verdict)}, one.sentence});
    std::string text = parts.str(screen);
    const json submissions =
        report.relay.is_object() ? report.relay.value("submissions", json()) : json();
    if (!submissions.is_object()) return text;
    Table counts({"SUBMISSIONS", "OPEN, OR OF THE LAST DAY"});
    for (const auto &[state, count] : submissions.items())
        counts.add({state, {count.dump(), state == "uncertain" ? Tone::warning : Tone::plain}});
    if (submissions.empty()) counts.add({"none"});
    return text + "\n" + counts.str(screen);
}

} // namespace

std::vector<Finding> findings_of(const json &status) {
    std::vector<Finding> findings;
    const json accounts = status.value("accounts", json::array());
    for (const json &account : accounts) {
        const std::string name = account.value("name", "");
        Finding one{"account " + name, Verdict::good,
                    "uses provider " + account.value("provider", "")};
        if (const json why = account.value("suspended", json()); why.is_string()) {
            one.verdict = Verdict::bad;
            one.sentence = fmt::format("is suspended: {}. When that is mended: demailctl resume {}",
                                       why.get<std::string>(), name);
        } else if (const json rests = account.value("resting", json()); rests.is_string()) {
            one.verdict = Verdict::bad;
            one.sentence = fmt::format("waits for provider {}: {} De-Mails wait in Postfix's queue",
                                       account.value("provider", ""), rests.get<std::string>());
        }
        findings.push_back(std::move(one));
    }
    const json domains = status.value("domains", json::object());
    Finding list{"providers' domains", Verdict::good, ""};
    const std::string alarm = domains.value("alarm", "");
    const long long refreshed = domains.value("refreshed", 0LL);
    if (!alarm.empty()) {
        list.verdict = Verdict::bad;
        list.sentence = alarm;
    } else if (refreshed == 0 && !accounts.empty()) {
        list.verdict = Verdict::unknown;
        list.sentence = "no provider has answered since demail-relay was started";
    } else {
        list.sentence =
            fmt::format("{} active, {} ended, last answer {}", domains.value("active", 0),
                        domains.value("ended", 0), moment(refreshed));
    }
    if (const auto waiting = domains.value("waiting", std::vector<std::string>()); !waiting.empty())
        list.sentence += fmt::format("; {} to be accepted, see demailctl domains", waiting.size());
    findings.push_back(std::move(list));
    if (const std::string hints = domains.value("hintsAlarm", ""); !hints.empty())
        findings.push_back({"hints", Verdict::bad, hints});
    return findings;
}

std::vector<Finding> status_findings(const Configuration &configuration) {
    return make_report(configuration).findings;
}

int show_status(const Configuration &configuration, bool json_wanted) {
    const Report report = make_report(configuration);
    if (!print(json_wanted ? as_json(report) : as_text(report, Screen::of(STDOUT_FILENO))))
        return exit_unavailable;
    return exit_of(report.verdict);
}

} // namespace demail::ctl
