// The keys: demail-cardd where one lies on its cards, and the certificates.
#include "base/certificate_time.hpp"
#include "broker/certificate_ends.hpp"
#include "crypto/key_uri.hpp"
#include "programs/ctl_cert.hpp"
#include "programs/ctl_doctor_host.hpp"
#include "wire/client.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <variant>

namespace demail::ctl {

namespace {

constexpr std::chrono::seconds patience{10};
/// A smartcard is not renewed in a week.
constexpr long days_before = 30;

Check of_card(const wire::TokenStatus &status) {
    Check check{"token",
                "card " + status.token.serial,
                Verdict::good,
                status.token.reader,
                "is there and unlocked",
                ""};
    if (!status.token.present) {
        check.verdict = Verdict::bad;
        check.found = "is not in the reader: De-Mails wait in Postfix's queue";
        check.remedy = "put the card in";
    } else if (!status.token.pin.held) {
        check.verdict = Verdict::bad;
        check.found = "is locked: De-Mails wait in Postfix's queue";
        check.remedy = status.token.pin.locked ? "its PIN is blocked: demailctl pin status"
                                               : "demailctl unlock";
    }
    if (check.verdict != Verdict::good && !status.sentence.empty())
        check.found += " (" + status.sentence + ")";
    return check;
}

void check_card_daemon(Checks &checks) {
    const std::string socket = wire::default_socket();
    wire::Client client(socket);
    const auto answer = client.call(wire::Status{}, wire::Clock::now() + patience);
    if (const auto *none = std::get_if<wire::NoReply>(&answer)) {
        checks.push_back({"token", "demail-cardd", Verdict::bad, socket, none->sentence,
                          "systemctl start demail-cardd; only members of demail-card and "
                          "demail-admin and root may ask it"});
        return;
    }
    const auto &reply = std::get<wire::Reply>(answer);
    const auto *report = std::get_if<wire::StatusReport>(&reply.body);
    if (reply.rv != wire::rv_ok || report == nullptr) {
        checks.push_back(
            {"token", "demail-cardd", Verdict::unknown, socket, reply.sentence, "try it as root"});
        return;
    }
    checks.push_back({"token", "demail-cardd", Verdict::good, socket,
                      fmt::format("answers, {} cards", report->tokens.size()), ""});
    for (const wire::TokenStatus &one : report->tokens)
        checks.push_back(of_card(one));
}

} // namespace

void check_tokens(const Configuration &configuration, Checks &checks) {
    const auto keys = configured_keys(configuration);
    const std::string own = crypto::KeyUri{}.module();
    if (std::any_of(keys.begin(), keys.end(),
                    [&](const ConfiguredKey &one) { return one.uri.module() == own; }))
        check_card_daemon(checks);
    for (const KeyFinding &one : key_findings(configuration)) {
        Check check{"token", one.finding.name, one.finding.verdict, "", one.finding.sentence, ""};
        if (check.verdict != Verdict::good) {
            check.remedy = check.verdict == Verdict::unknown && ::geteuid() != 0
                               ? "try it as root"
                               : "see demailctl cert list";
        } else if (one.until > 0) {
            const long days = broker::days_between(std::time(nullptr), one.until);
            check.found += ", valid until " + date_text(one.until);
            if (days < days_before) {
                check.verdict = Verdict::bad;
                check.found += fmt::format(": it ends in {} days, and with it all sending", days);
                check.remedy = "have the card renewed";
            }
        }
        checks.push_back(std::move(check));
    }
    if (keys.empty())
        checks.push_back({"token", "keys", Verdict::bad, "",
                          "no key is configured: nothing can be sent",
                          "write auth_key into [[provider]], see demail.toml(5)"});
}

} // namespace demail::ctl
