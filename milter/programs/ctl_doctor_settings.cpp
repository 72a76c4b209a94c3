// Settings of main.cf, and of -o in master.cf, that undo a line of the gateway. A row each.
#include "message/ascii.hpp"
#include "programs/ctl_doctor_postfix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace demail::ctl {

namespace {

/// What a value is like; "" for found: nothing to say.
struct Judgement {
    Verdict verdict = Verdict::good;
    std::string found, remedy;
};

using Judge = Judgement (*)(const PostfixView &, const Setting &);

bool is_yes(const std::string &value) {
    return ascii::equal(value, "yes") || ascii::equal(value, "true");
}

bool loopback(std::string_view host) {
    if (host.starts_with('[')) host = host.substr(1, host.find(']') - 1);
    return host == "localhost" || host == "::1" || host == "::1]" || host.starts_with("127.");
}

/// A network, a domain or a table: more than one named address.
bool wide(const std::string &host) {
    const auto slash = host.find('/');
    if (slash != std::string::npos) {
        const bool version_6 = host.find(':') < slash;
        return host.substr(slash + 1) != (version_6 ? "128" : "32");
    }
    return host.find_first_not_of("0123456789.") != std::string::npos && !host.starts_with('[') &&
           host.find(':') == std::string::npos;
}

Judgement hosts(const Setting &setting, const char *what, const char *parameter) {
    std::string named, open;
    for (const std::string &one : list_elements(setting.value)) {
        if (loopback(one) || one.starts_with('!')) continue;
        auto &list = wide(one) ? open : named;
        list += (list.empty() ? "" : ", ") + one;
    }
    if (!open.empty())
        return {Verdict::bad, fmt::format("whoever connects from {} may claim {}", open, what),
                fmt::format("name single hosts of yours alone: set {} = 127.0.0.1", parameter)};
    if (!named.empty()) return {Verdict::good, fmt::format("{} may claim {}", named, what), ""};
    return {};
}

Judgement xclient(const PostfixView &, const Setting &setting) {
    return hosts(setting, "any login and address, and so send De-Mail as anybody",
                 "smtpd_authorized_xclient_hosts");
}
Judgement xforward(const PostfixView &, const Setting &setting) {
    return hosts(setting, "any queue id and client: log and journal then name the wrong ones",
                 "smtpd_authorized_xforward_hosts");
}

Judgement content_filter(const PostfixView &view, const Setting &setting) {
    if (setting.value.empty()) return {};
    Checks checks;
    check_filter(view, checks, "", "", setting.value);
    return {checks.front().verdict, checks.front().found, checks.front().remedy};
}

Judgement always_bcc(const PostfixView &view, const Setting &setting) {
    if (setting.value.empty()) return {};
    const std::string copy = "a copy of each De-Mail's content goes to " + setting.value;
    switch (home_of(view, setting.value)) {
    case Home::here:
        return {Verdict::good, copy + ", here", ""};
    case Home::demail:
        return {Verdict::bad,
                setting.value + " is a De-Mail address that no sender has named: the relay refuses "
                                "the copy of each message, and it bounces",
                "empty it, or name a mailbox of this host"};
    case Home::unknown:
        return {Verdict::unknown,
                copy + "; whether that is here is not told, since a table names "
                       "the domains of this host",
                "see that it is a mailbox of this host"};
    default:
        return {Verdict::bad, copy + " by the Internet, as plain mail",
                "empty it, or name a mailbox of this host"};
    }
}

Judgement soft_bounce(const PostfixView &, const Setting &setting) {
    if (!is_yes(setting.value)) return {};
    return {Verdict::bad,
            "a De-Mail that is refused for good stays in the queue for days, and its sender is not "
            "told",
            "set soft_bounce = no"};
}

Judgement defer_transports(const PostfixView &, const Setting &setting) {
    for (const std::string &one : list_elements(setting.value))
        if (one == "demail" || one == "lmtp:unix:demail-relay/lmtp.sock")
            return {Verdict::bad, "De-Mails wait in the queue until they are returned",
                    "take demail out of defer_transports"};
    return {};
}

Judgement milter_protocol(const PostfixView &, const Setting &setting) {
    int version = 0;
    const std::string &value = setting.value;
    std::from_chars(value.data(), value.data() + value.size(), version);
    if (version >= 6) return {};
    return {Verdict::bad,
            "is " + value +
                ": the milter asks for what version 6 of the protocol has, and without "
                "it Postfix answers 451 for all mail",
            "set milter_protocol = 6"};
}

Judgement own_domains(const PostfixView &view, const Setting &setting) {
    for (const std::string &one : list_elements(setting.value)) {
        if (one.find(':') != std::string::npos) continue;
        if (view.domains.find(ascii::lower(one)))
            return {Verdict::bad,
                    fmt::format("{} is De-Mail, and stands here as a domain of this host: its "
                                "recipients are refused or rewritten before they are De-Mails",
                                one),
                    fmt::format("take {} out of it", one)};
    }
    return {};
}

/// "5d", "1w", "36h": in seconds; days without a letter, as the lifetimes have them.
std::optional<std::chrono::seconds> lifetime(const std::string &text) {
    long number = 0;
    const char *const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    if (read.ec != std::errc() || end - read.ptr > 1) return std::nullopt;
    switch (read.ptr == end ? 'd' : *read.ptr) {
    case 's':
        return std::chrono::seconds(number);
    case 'm':
        return std::chrono::minutes(number);
    case 'h':
        return std::chrono::hours(number);
    case 'd':
        return std::chrono::days(number);
    case 'w':
        return std::chrono::weeks(number);
    default:
        return std::nullopt;
    }
}

Judgement queue_lifetime(const PostfixView &view, const Setting &setting) {
    const auto queue = lifetime(setting.value);
    if (!queue || view.seal_lifetime.count() == 0) return {};
    const auto needed = *queue + std::chrono::days(1);
    if (needed <= view.seal_lifetime) return {};
    return {Verdict::bad,
            fmt::format("is {}, and a seal holds for {} days: a De-Mail that waited longer bounces "
                        "although the provider would take it",
                        setting.value,
                        std::chrono::duration_cast<std::chrono::days>(view.seal_lifetime).count()),
            fmt::format("write into demail.toml: [seal] lifetime_days = {}",
                        std::chrono::ceil<std::chrono::days>(needed).count())};
}

/// The elements of a restriction list; a class of one's own by what it stands for.
std::vector<std::string> restrictions(const PostfixView &view, std::string_view value) {
    const auto classes = list_elements(view.facts.value("smtpd_restriction_classes"));
    std::vector<std::string> all;
    for (const std::string &one : list_elements(value)) {
        if (std::find(classes.begin(), classes.end(), one) == classes.end())
            all.push_back(one);
        else
            for (const std::string &inner : list_elements(view.facts.value(one)))
                all.push_back(inner);
    }
    return all;
}

Judgement unknown_recipients(const PostfixView &view, const Setting &setting) {
    bool permitted = false;
    for (const std::string &one : restrictions(view, setting.value)) {
        if (one == "permit_sasl_authenticated") permitted = true;
        if (one != "reject_unknown_recipient_domain" || permitted) continue;
        return {Verdict::bad,
                one + " refuses every De-Mail at RCPT: De-Mail domains have no MX record",
                "put " + one + " behind permit_mynetworks, permit_sasl_authenticated"};
    }
    return {};
}

struct Row {
    const char *parameter;
    Judge judge;
    const char *good; ///< what is said where nothing is to be said
};

constexpr Row rows[] = {
    {"content_filter", content_filter, "none"},
    {"always_bcc", always_bcc, "none"},
    {"soft_bounce", soft_bounce, "no"},
    {"defer_transports", defer_transports, "De-Mails are not held back"},
    {"milter_protocol", milter_protocol, "6"},
    {"smtpd_authorized_xclient_hosts", xclient, "this host alone, or none"},
    {"smtpd_authorized_xforward_hosts", xforward, "this host alone, or none"},
    {"mydestination", own_domains, "has no De-Mail domain"},
    {"virtual_alias_domains", own_domains, "has no De-Mail domain"},
    {"virtual_mailbox_domains", own_domains, "has no De-Mail domain"},
    {"maximal_queue_lifetime", queue_lifetime, "shorter than a seal holds"},
    {"smtpd_client_restrictions", unknown_recipients, "let De-Mail recipients pass"},
    {"smtpd_helo_restrictions", unknown_recipients, "let De-Mail recipients pass"},
    {"smtpd_sender_restrictions", unknown_recipients, "let De-Mail recipients pass"},
    {"smtpd_relay_restrictions", unknown_recipients, "let De-Mail recipients pass"},
    {"smtpd_recipient_restrictions", unknown_recipients, "let De-Mail recipients pass"},
    {"smtpd_data_restrictions", unknown_recipients, "let De-Mail recipients pass"},
};

void check_row(const PostfixView &view, const Row &row, Checks &checks) {
    bool any = false;
    for (const Setting &one : settings_of(view, row.parameter)) {
        const Judgement said = row.judge(view, one);
        if (said.found.empty()) continue;
        any = true;
        checks.push_back(
            {"postfix", row.parameter, said.verdict, one.where, said.found, said.remedy});
    }
    if (!any)
        checks.push_back({"postfix", row.parameter, Verdict::good,
                          view.directory + "/main.cf: " + row.parameter, row.good, ""});
}

void check_others(const PostfixView &view, Checks &checks) {
    for (const OtherInstance &one : view.others) {
        Check check{"postfix",
                    "instance " + one.directory,
                    Verdict::good,
                    one.directory + "/main.cf: smtp_header_checks",
                    "this other Postfix takes seals and De-Mail fields out, too",
                    ""};
        if (!one.strips_seals.value_or(false)) {
            check.verdict = Verdict::unknown;
            check.found = one.strips_seals ? "this other Postfix takes no seals out of its mail"
                                           : "this other Postfix's configuration cannot be read";
            std::string lines;
            for (const SealChecks &of : seal_checks)
                lines += fmt::format("{}{} = regexp:{}/{}", lines.empty() ? "" : ", ", of.parameter,
                                     view.wishes.tables, of.table);
            check.remedy = fmt::format("where it sends mail to the Internet, write into its "
                                       "main.cf: {}; not where it hands mail on to another Postfix "
                                       "of yours that sends De-Mails",
                                       lines);
        }
        checks.push_back(std::move(check));
    }
}

} // namespace

void check_settings(const PostfixView &view, Checks &checks) {
    for (const Row &row : rows)
        check_row(view, row, checks);
    check_others(view, checks);
}

} // namespace demail::ctl
