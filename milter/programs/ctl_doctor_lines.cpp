// Postfix's version, and each line of contracts.md: there and in force, or not and what comes of
// it.
#include "programs/ctl_doctor_postfix.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace demail::ctl {

namespace {

/// What happens while a line is missing. A line without an entry here is checked all the same.
constexpr std::pair<std::string_view, std::string_view> consequences[] = {
    {"enable_long_queue_ids", "short queue ids come again, and a letter cannot be told from an "
                              "older one in Postfix's log and the journal"},
    {"smtpd_forbid_bare_newline", "a sender can smuggle a second message into his own, and it is "
                                  "sealed as another sender's"},
    {"smtpd_forbid_bare_newline_exclusions",
     "the clients in it can smuggle a second message into their own"},
    {"message_size_limit", "De-Mails that the provider takes are refused as too large"},
    {"mailbox_size_limit", "local(8) delivers nothing while a mailbox may hold less than one "
                           "message"},
    {"virtual_mailbox_limit", "virtual(8) delivers nothing while a mailbox may hold less than one "
                              "message"},
    {"smtpd_milters", "the De-Mail milter is not in it, not the last, or lacks "
                      "default_action=tempfail: De-Mails bounce, since they are not sealed or are "
                      "changed behind the seal, and forged De-Mail fields reach mailboxes"},
    {"non_smtpd_milters", "what sendmail(1) hands in passes round the milter, or not by it last: "
                          "its De-Mails bounce, and forged De-Mail fields reach mailboxes"},
    {"transport_maps", "De-Mails, or letters to strange spellings of their addresses, leave to the "
                       "Internet as plain mail"},
    {"demail_destination_recipient_limit",
     "a letter to more than 50 recipients becomes several De-Mails"},
    {"smtp_header_checks", "seals and De-Mail fields leave with mail to the Internet"},
    {"smtp_nested_header_checks", "seals and De-Mail fields leave inside bounces"},
    {"smtp_body_checks", "seals leave inside bounces of De-Mails"},
    {"demail", "De-Mails wait in the queue or are changed on their way to demail-relay"},
    {"demail-in", "received De-Mails cannot enter Postfix"}};

std::string consequence_of(std::string_view name) {
    for (const auto &[line, text] : consequences)
        if (line == name) return ": " + std::string(text);
    return "";
}

/// postconf -M pads its columns.
std::string without_padding(const std::string &line) {
    std::string out;
    for (const char c : line)
        if (c != ' ' || !out.ends_with(' ')) out += c;
    return out;
}

/// postconf does not show a transport's parameter while master.cf has no such service.
bool is_hidden(const PostfixView &view, const std::string &name) {
    return name.starts_with("demail_") && !view.facts.settings.contains(name) &&
           std::none_of(view.facts.services.begin(), view.facts.services.end(),
                        [](const std::string &one) { return MasterLine(one).name == "demail"; });
}

void check_line(const PostfixView &view, const PostfixLine &line, const char *file,
                Checks &checks) {
    Check check{"postfix",
                line.name,
                Verdict::good,
                view.directory + "/" + file + ": " + line.name,
                without_padding(line.line),
                ""};
    if (!line.stands) {
        check.verdict = Verdict::bad;
        const std::string now =
            line.was.empty() ? "is missing or empty" : "is \"" + without_padding(line.was) + "\"";
        check.found = now + consequence_of(line.name);
        check.remedy = "write into " + std::string(file) + ": " + line.line;
        if (!line.note.empty()) check.remedy += " (" + line.note + ")";
    }
    checks.push_back(std::move(check));
}

void check_version(const PostfixView &view, Checks &checks) {
    constexpr int least = 3; // { } in milters and -o, a milter's own default_action, pipemap
    const std::string version = view.facts.value("mail_version");
    int major = 0;
    const auto read = std::from_chars(version.data(), version.data() + version.size(), major);
    Check check{"postfix", "version", Verdict::good, "", "Postfix " + version, ""};
    if (read.ec != std::errc() || major < least) {
        check.verdict = read.ec != std::errc() ? Verdict::unknown : Verdict::bad;
        check.found = "Postfix " + (version.empty() ? "does not say its version" : version) +
                      ": its configuration cannot hold the gateway's lines before 3.0";
        check.remedy = "install Postfix 3.5.23, 3.6.13, 3.7.9, 3.8.4 or later: these have "
                       "smtpd_forbid_bare_newline too";
    }
    checks.push_back(std::move(check));
}

} // namespace

void check_lines(const PostfixView &view, Checks &checks) {
    check_version(view, checks);
    const PostfixLines lines = postfix_lines(view.facts, view.wishes);
    for (const PostfixLine &one : lines.main_cf)
        if (!is_hidden(view, one.name)) check_line(view, one, "main.cf", checks);
    for (const PostfixLine &one : lines.master_cf)
        check_line(view, one, "master.cf", checks);
}

} // namespace demail::ctl
