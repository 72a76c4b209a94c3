#include "programs/ctl_domains.hpp"

#include "message/address.hpp"
#include "programs/ctl_domain_files.hpp"
#include "programs/ctl_relay.hpp"
#include "programs/ctl_screen.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace demail::ctl {

namespace {

using nlohmann::ordered_json;
using Where = ListedDomain::Where;

constexpr std::string_view word(Where where) {
    return where == Where::both ? "both" : where == Where::text_only ? "text" : "index";
}

std::string note(const ListedDomain &one, const DomainFiles &files) {
    if (one.where == Where::index_only)
        return "in " + files.indexed_file +
               " alone: being added or removed, its mail is answered 451";
    if (one.where == Where::text_only)
        return "in " + files.text_file +
               " alone: Postfix does not know it, its mail is answered "
               "451";
    switch (one.state) {
    case DomainState::ended:
        return "its mail is refused: its provider has ended or names it no longer";
    case DomainState::hinted:
        return "its mail is refused: DNS names it as De-Mail, no provider does; it is ordinary "
               "again when it is taken from the file of [hints] watched";
    default:
        return "";
    }
}

struct Report {
    DomainFiles files;
    std::vector<ListedDomain> domains;
    RelayAnswer relay;
    std::vector<std::string> waiting, refused;
    std::string alarm, hints_alarm;
    Verdict verdict = Verdict::good;
};

Report make_report(const Configuration &configuration) {
    Report report;
    report.files = look_at_domain_files(configuration);
    report.domains = listed_domains(report.files.text.value_or(DomainSet()),
                                    report.files.indexed.value_or(DomainSet()));
    report.relay = ask_relay(configuration, {"domains"});
    report.verdict = report.files.verdict();
    if (report.relay.kind == RelayAnswer::Kind::answered) {
        report.waiting = report.relay.value.value("waiting", std::vector<std::string>());
        report.refused = report.relay.value.value("refused", std::vector<std::string>());
        report.alarm = report.relay.value.value("alarm", "");
        report.hints_alarm = report.relay.value.value("hintsAlarm", "");
        if (!report.alarm.empty() || !report.hints_alarm.empty()) report.verdict = Verdict::bad;
    } else {
        report.verdict = worse(report.verdict, Verdict::unknown);
    }
    return report;
}

std::string as_json(const Report &report) {
    ordered_json domains = ordered_json::array(), findings = ordered_json::array();
    for (const ListedDomain &one : report.domains)
        domains.push_back(
            {{"domain", one.domain}, {"state", name(one.state)}, {"where", word(one.where)}});
    for (const Finding &one : report.files.findings)
        findings.push_back(
            {{"name", one.name}, {"verdict", word(one.verdict)}, {"sentence", one.sentence}});
    const bool answered = report.relay.kind == RelayAnswer::Kind::answered;
    const ordered_json whole = {{"verdict", word(report.verdict)},
                                {"findings", findings},
                                {"domains", domains},
                                {"relay", answered
                                              ? ordered_json(report.relay.value)
                                              : ordered_json{{"error", report.relay.sentence}}}};
    return whole.dump(2, ' ', true, ordered_json::error_handler_t::replace) + "\n";
}

std::string as_text(const Report &report, const Screen &screen) {
    Table domains({"DOMAIN", "STATE", "NOTE"});
    for (const ListedDomain &one : report.domains)
        domains.add({one.domain,
                     {std::string(name(one.state)), one.where != Where::both ? Tone::warning
                                                    : one.state == DomainState::active ? Tone::good
                                                                                       : Tone::bad},
                     note(one, report.files)});
    for (const std::string &one : report.waiting)
        domains.add(
            {one,
             {"waiting", Tone::warning},
             "a provider names it, nothing confirms it; demailctl domains accept takes it"});
    for (const std::string &one : report.refused) {
        const std::size_t colon = one.rfind(": ");
        const std::string domain = one.substr(0, colon);
        // Those that wait have their line.
        if (std::find(report.waiting.begin(), report.waiting.end(), domain) == report.waiting.end())
            domains.add({domain,
                         {"refused", Tone::bad},
                         colon == std::string::npos
                             ? ""
                             : "a provider names it: " + one.substr(colon + 2)});
    }
    Table rest({"CHECKED", "STATE", ""});
    for (const Finding &one : report.files.findings)
        rest.add({one.name, {std::string(word(one.verdict)), tone_of(one.verdict)}, one.sentence});
    if (report.relay.kind != RelayAnswer::Kind::answered)
        rest.add({"providers", {"unknown", Tone::warning}, report.relay.sentence});
    else if (!report.alarm.empty())
        rest.add({"providers", {"bad", Tone::bad}, report.alarm});
    else
        rest.add({"providers",
                  {"good", Tone::good},
                  "last answer " + moment(report.relay.value.value("refreshed", 0LL))});
    if (!report.hints_alarm.empty()) rest.add({"hints", {"bad", Tone::bad}, report.hints_alarm});
    return domains.str(screen) + "\n" + rest.str(screen);
}

} // namespace

int show_domains(const Configuration &configuration, bool json) {
    const Report report = make_report(configuration);
    if (!print(json ? as_json(report) : as_text(report, Screen::of(STDOUT_FILENO))))
        return exit_unavailable;
    return exit_of(report.verdict);
}

int refresh_domains(const Configuration &configuration, bool json) {
    return act(configuration, {"domains-refresh"}, json);
}

int change_domain(const Configuration &configuration, const std::string &verb,
                  const std::string &domain, bool json) {
    // The control socket's request is words on a line: what is no domain never gets there.
    const auto normal = normal_domain(domain);
    if (!normal) {
        std::fputs(("demailctl: \"" + visible(domain) + "\" is not a domain name\n").c_str(),
                   stderr);
        return exit_usage;
    }
    return act(configuration, {"domains-" + verb, *normal}, json);
}

} // namespace demail::ctl
