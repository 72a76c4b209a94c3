#include "programs/ctl_postfix_log.hpp"

#include "relay/command.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace demail::ctl {

namespace {

constexpr std::size_t most_at_once = 1024 * 1024;
constexpr const char *where_syslog_writes = "/var/log/mail.log";

/// "… postfix/submission/smtpd[4711]: QUEUE-ID: text"
struct Line {
    std::string_view program, queue_id, text;
};

std::optional<Line> read_line(std::string_view line) {
    const auto end = line.find("]: ");
    if (end == std::string_view::npos) return std::nullopt;
    std::string_view name = line.substr(0, end);
    const auto bracket = name.rfind('[');
    if (bracket == std::string_view::npos) return std::nullopt;
    name = name.substr(0, bracket);
    const auto slash = name.rfind('/');
    if (slash == std::string_view::npos) return std::nullopt;
    std::string_view rest = line.substr(end + 3);
    const auto colon = rest.find(": ");
    if (colon == std::string_view::npos ||
        rest.substr(0, colon).find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                "abcdefghijklmnopqrstuvwxyz") != std::string::npos)
        return std::nullopt;
    return Line{name.substr(slash + 1), rest.substr(0, colon), rest.substr(colon + 2)};
}

/// The value of "name=value" up to ", "; "" where it is not there.
std::string value_of(std::string_view text, std::string_view name) {
    const auto at = text.find(name);
    if (at == std::string_view::npos) return "";
    text.remove_prefix(at + name.size());
    return std::string(text.substr(0, text.find(", ")));
}

/// A probe's address has no ", relay=" in it.
std::optional<Delivery> read_delivery(std::string_view program, std::string_view text) {
    constexpr std::string_view begin = "to=<", behind = ", relay=", status = ", status=";
    const auto relay = text.find(behind), state = text.find(status);
    if (!text.starts_with(begin) || relay == std::string_view::npos ||
        state == std::string_view::npos || state < relay)
        return std::nullopt;
    std::string_view to = text.substr(begin.size(), relay - begin.size());
    to = to.substr(0, std::min(to.find(">, orig_to=<"), to.rfind('>')));
    const std::string_view outcome = text.substr(state + status.size());
    const auto word = std::min(outcome.find(' '), outcome.size());
    std::string_view reason = outcome.substr(word);
    if (reason.starts_with(" (") && reason.ends_with(')'))
        reason = reason.substr(2, reason.size() - 3);
    return Delivery{std::string(program), std::string(to), value_of(text.substr(relay), behind),
                    std::string(outcome.substr(0, word)), std::string(reason)};
}

std::runtime_error unreadable(const std::string &what) {
    return std::runtime_error("what became of the probes cannot be told: " + what);
}

std::vector<std::string> journalctl(std::vector<std::string> more) {
    std::vector<std::string> argv{"journalctl", "--quiet", "--no-pager", "--show-cursor"};
    argv.insert(argv.end(), std::make_move_iterator(more.begin()),
                std::make_move_iterator(more.end()));
    return argv;
}

} // namespace

void LogStory::add(const std::string &lines) {
    std::istringstream text(lines);
    for (std::string line; std::getline(text, line);)
        add_line(line);
}

/// All messages are kept: a line of a bounce may stand before the one that names it as such, since
/// several processes write the log.
void LogStory::add_line(std::string_view text) {
    const auto line = read_line(text);
    if (!line) return;
    constexpr std::string_view id_begin = "message-id=<",
                               bounce = "sender non-delivery notification: ";
    Entry &entry = entries_[std::string(line->queue_id)];
    if (line->program == "cleanup" && line->text.starts_with(id_begin) &&
        line->text.ends_with('>')) {
        const auto id = line->text.substr(id_begin.size(), line->text.size() - id_begin.size() - 1);
        if (message_ids_.contains(id)) entry.message_id = id;
    } else if (line->text.starts_with(bounce)) {
        entries_[std::string(line->text.substr(bounce.size()))].bounce_of = line->queue_id;
    } else if (line->program == "qmgr" && line->text.starts_with("from=<")) {
        const std::string count = value_of(line->text, ", nrcpt=");
        entry.recipients = std::strtoul(count.c_str(), nullptr, 10);
    } else if (line->text == "removed" ||
               (line->program == "cleanup" && line->text.starts_with("milter-reject: "))) {
        entry.rested = true;
    } else if (auto delivery = read_delivery(line->program, line->text)) {
        entry.deliveries.push_back(*std::move(delivery));
    }
}

std::string_view LogStory::message_of(const Entry &entry) const {
    if (entry.bounce_of.empty()) return entry.message_id;
    const auto of = entries_.find(entry.bounce_of);
    return of == entries_.end() ? std::string_view() : of->second.message_id;
}

std::set<std::string, std::less<>> LogStory::open() const {
    auto open = message_ids_;
    for (const auto &[queue_id, entry] : entries_)
        open.erase(entry.message_id);
    for (const auto &[queue_id, entry] : entries_)
        if (!entry.rested && (entry.recipients == 0 || entry.deliveries.size() < entry.recipients))
            if (const auto id = message_of(entry); !id.empty()) open.emplace(id);
    return open;
}

std::vector<Delivery> LogStory::deliveries(std::string_view message_id) const {
    std::vector<Delivery> all;
    for (const auto &[queue_id, entry] : entries_)
        if (message_of(entry) == message_id)
            for (Delivery one : entry.deliveries) {
                one.of_bounce = !entry.bounce_of.empty();
                all.push_back(std::move(one));
            }
    return all;
}

std::vector<std::string> LogStory::queue_ids() const {
    std::vector<std::string> ids;
    for (const auto &[queue_id, entry] : entries_)
        if (!message_of(entry).empty()) ids.push_back(queue_id);
    return ids;
}

PostfixLog::PostfixLog(const PostfixFacts &facts) : path_(facts.value("maillog_file")) {
    if (path_.empty() && ::access(where_syslog_writes, F_OK) == 0) path_ = where_syslog_writes;
    if (path_.empty()) {
        (void)more_of_journal(); // nothing but its end
        return;
    }
    file_.reset(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!file_ || ::lseek(file_.get(), 0, SEEK_END) < 0)
        throw unreadable("Postfix's log " + path_ + " cannot be read (" + std::strerror(errno) +
                         "); root may");
}

std::string PostfixLog::more() {
    rest_ += path_.empty() ? more_of_journal() : more_of_file();
    const auto end = rest_.rfind('\n');
    if (end == std::string::npos) return "";
    std::string lines = rest_.substr(0, end + 1);
    rest_.erase(0, end + 1);
    return lines;
}

std::string PostfixLog::more_of_file() {
    std::string text(most_at_once, '\0');
    const ssize_t got = ::read(file_.get(), text.data(), text.size());
    if (got < 0) throw unreadable(path_ + ": " + std::strerror(errno));
    text.resize(static_cast<std::size_t>(got));
    return text;
}

std::string PostfixLog::more_of_journal() {
    constexpr std::string_view mark = "-- cursor: ";
    const auto asked = relay::run_command(
        journalctl(cursor_.empty() ? std::vector<std::string>{"--lines=1"}
                                   : std::vector<std::string>{"--after-cursor=" + cursor_,
                                                              "SYSLOG_FACILITY=2"}),
        relay::Errors::kept);
    if (asked.exit_status != 0)
        throw unreadable("neither " + std::string(where_syslog_writes) +
                         " nor systemd's journal can be read; root may. " + asked.errors);
    const auto at = asked.output.rfind(mark);
    if (at == std::string::npos) return ""; // nothing new
    std::string cursor = asked.output.substr(at + mark.size());
    cursor.erase(std::min(cursor.find('\n'), cursor.size()));
    const bool first = cursor_.empty();
    cursor_ = std::move(cursor);
    return first ? "" : asked.output.substr(0, at);
}

} // namespace demail::ctl
