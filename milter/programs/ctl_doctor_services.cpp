// Services of master.cf that take mail past the milter, or let seals out.
#include "message/ascii.hpp"
#include "programs/ctl_doctor_postfix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace demail::ctl {

namespace {

bool ours(const PostfixView &view, const std::string &element) {
    const std::string endpoint = MilterElement(element).endpoint;
    return endpoint == "unix:" + view.wishes.milter_socket ||
           endpoint == "unix:" + view.wishes.milter_path;
}

bool without_milters(const Service &service) {
    const auto options = list_elements(service.value("receive_override_options"));
    return std::find(options.begin(), options.end(), "no_milters") != options.end();
}

bool filters_somewhere(const PostfixView &view) {
    for (const Setting &one : settings_of(view, "content_filter"))
        if (!one.value.empty()) return true;
    return false;
}

/// A port of this host for the content filter.
bool hands_back(const PostfixView &view, const Service &service) {
    const auto filter = service.override_of("content_filter");
    return service.line().command == "smtpd" && service.line().type == "inet" &&
           service.on_loopback() && filter && filter->empty() && filters_somewhere(view);
}

/// What it says of mail that comes in here; "" where the milter sees it, last.
std::string past_the_milter(const PostfixView &view, const Service &service,
                            const char *parameter) {
    if (without_milters(service)) return "receive_override_options has no_milters";
    const auto milters = service.override_of(parameter);
    if (!milters) return "";
    const auto elements = list_elements(*milters);
    if (std::none_of(elements.begin(), elements.end(),
                     [&](const std::string &one) { return ours(view, one); }))
        return fmt::format("-o {} is \"{}\", without the De-Mail milter", parameter, *milters);
    if (!ours(view, elements.back()))
        return fmt::format("-o {} has \"{}\" behind the De-Mail milter", parameter,
                           elements.back());
    return "";
}

void check_entry(const PostfixView &view, const Service &service, const char *parameter,
                 Checks &checks) {
    const std::string fault = past_the_milter(view, service, parameter);
    const bool off = without_milters(service);
    const char *option = off ? "receive_override_options" : parameter;
    const std::string &command = service.line().command;
    const std::string name =
        service.line().name == command ? command : command + " " + service.name();
    Check check{"postfix",
                name,
                Verdict::good,
                service.where(option),
                "mail that comes in here goes through the milter",
                ""};
    if (!fault.empty()) {
        check.found = fault;
        if (off && command == "smtpd" && service.on_loopback() && filters_somewhere(view)) {
            check.found += ", for a content filter on this host that hands back: the relay checks "
                           "the seal";
        } else {
            check.verdict = Verdict::bad;
            check.found += ": De-Mails that come in here are not sealed and bounce, and forged "
                           "De-Mail fields reach mailboxes";
            check.remedy =
                off ? "take no_milters out of receive_override_options"
                    : fmt::format("take \"-o {}\" out of this service, or put {{ unix:{}, "
                                  "default_action=tempfail }} at its end",
                                  parameter, view.wishes.milter_socket);
        }
    }
    if (fault.empty() && hands_back(view, service) && !view.reinjection) {
        check.verdict = Verdict::bad;
        check.found = "the milter looks at what the content filter hands back here, without the "
                      "sender's login: De-Mails are refused";
        check.remedy = "write into demail.toml: [milter] reinjection = [\"127.0.0.1\"]; or into "
                       "this service: -o receive_override_options=no_milters";
    }
    checks.push_back(std::move(check));
}

void check_proxy(const Service &service, Checks &checks) {
    if (service.value("smtpd_proxy_filter").empty()) return;
    checks.push_back(
        {"postfix", "smtpd_proxy_filter", Verdict::bad, service.where("smtpd_proxy_filter"),
         fmt::format("smtpd {} hands its mail to the proxy {} before the queue: behind it the "
                     "milter sees the proxy's address and no login, so that nobody may send "
                     "De-Mail, or everybody",
                     service.name(), service.value("smtpd_proxy_filter")),
         "empty smtpd_proxy_filter; filter behind the queue instead (content_filter, see "
         "contrib/postfix/beside.md), or by a milter before the De-Mail milter"});
}

/// The transports that content_filter names: they keep the seal.
std::set<std::string> filter_transports(const PostfixView &view) {
    std::set<std::string> names;
    const auto add = [&](std::string_view destination) {
        if (!destination.empty()) names.emplace(destination.substr(0, destination.find(':')));
    };
    for (const Setting &one : settings_of(view, "content_filter"))
        add(one.value);
    for (const auto &[element, table] : view.tables)
        for (const TableEntry &entry :
             entries_of(table.text.value_or(""), TableName(element).of_patterns()))
            if (ascii::lower(entry.value).starts_with("filter "))
                add(std::string_view(entry.value).substr(sizeof "filter"));
    return names;
}

void check_transports(const PostfixView &view, Checks &checks) {
    const auto for_filters = filter_transports(view);
    std::string stripping;
    for (const Service &service : services_of(view)) {
        if (service.line().command != "smtp" || service.line().type != "unix" ||
            for_filters.contains(service.line().name))
            continue;
        bool good = true;
        for (const SealChecks &one : seal_checks) {
            const auto value = service.override_of(one.parameter);
            if (!value || one.first_in(*value)) continue;
            good = false;
            checks.push_back(
                {"postfix", "transport " + service.line().name, Verdict::bad,
                 service.where(one.parameter),
                 fmt::format("is \"{}\": what this transport sends to the Internet takes seals and "
                             "De-Mail fields along",
                             *value),
                 fmt::format("take \"-o {}\" out of this service, or begin it with regexp:{}/{}; "
                             "only a content filter's transport keeps the seal",
                             one.parameter, view.wishes.tables, one.table)});
        }
        if (good) stripping += (stripping.empty() ? "" : ", ") + service.line().name;
    }
    if (!stripping.empty())
        checks.push_back({"postfix", "transports", Verdict::good, view.directory + "/master.cf",
                          stripping + ": use the header and body checks of main.cf", ""});
}

} // namespace

void check_services(const PostfixView &view, Checks &checks) {
    for (const Service &service : services_of(view)) {
        const std::string &command = service.line().command;
        if (command == "smtpd" && service.line().name != view.wishes.inbound) {
            check_entry(view, service, "smtpd_milters", checks);
            check_proxy(service, checks);
        }
        if (command == "pickup" || command == "cleanup")
            check_entry(view, service, "non_smtpd_milters", checks);
    }
    check_transports(view, checks);
}

void check_filter(const PostfixView &view, Checks &checks, const std::string &name,
                  const std::string &where, const std::string &destination) {
    const auto colon = destination.find(':');
    const std::string transport = destination.substr(0, colon);
    const std::string hop = colon == std::string::npos ? "" : destination.substr(colon + 1);
    Check check{"postfix", name, Verdict::good, where, "", ""};
    const auto services = services_of(view);
    const auto service = std::find_if(services.begin(), services.end(), [&](const Service &one) {
        return one.line().name == transport && one.line().type == "unix";
    });
    const bool near = hop.starts_with("127.") || hop.starts_with("[127.") ||
                      hop.starts_with("[::1]") || hop.starts_with("localhost") ||
                      hop.starts_with("[localhost]") || hop.starts_with("unix:") ||
                      hop.starts_with("inet:127.") || hop.starts_with("inet:localhost");
    if (service == services.end()) {
        check.verdict = Verdict::bad;
        check.found = fmt::format("mail goes to {}, and master.cf has no service {}: it waits in "
                                  "the queue",
                                  destination, transport);
        check.remedy = fmt::format("write into master.cf: {} unix - - n - - smtp -o "
                                   "smtp_header_checks= -o smtp_nested_header_checks= "
                                   "-o smtp_body_checks=",
                                   transport);
    } else if (service->line().command == "smtp" &&
               service->value("smtp_header_checks").find("strip-seal") != std::string::npos) {
        check.verdict = Verdict::bad;
        check.found = fmt::format("mail goes to {}, and on this way the seal is removed: every "
                                  "De-Mail comes back without it and bounces",
                                  destination);
        check.remedy = "give the filter a transport of its own in master.cf: scan unix - - n - - "
                       "smtp -o smtp_header_checks= -o smtp_nested_header_checks= "
                       "-o smtp_body_checks=, and name it: "
                       "scan:" +
                       hop;
    } else if (service->line().command == "pipe") {
        check.verdict = Verdict::unknown;
        check.found = fmt::format("mail goes to the program that the service {} runs: what it "
                                  "hands back by sendmail(1) has lost its login, and its De-Mails "
                                  "bounce",
                                  transport);
        check.remedy =
            "let it hand back by SMTP to an smtpd of its own (contrib/postfix/beside.md)";
    } else if (!near) {
        check.verdict = Verdict::unknown;
        check.found = fmt::format("every De-Mail goes to {} in the clear before it is submitted; "
                                  "whether that host is yours and hands it back is not told",
                                  destination);
        check.remedy = "filter on this host, or see that the way to that host is protected and "
                       "that it hands back to this Postfix";
    } else {
        check.found =
            fmt::format("mail goes to the filter {} on this host with its seal", destination);
    }
    checks.push_back(std::move(check));
}

} // namespace demail::ctl
