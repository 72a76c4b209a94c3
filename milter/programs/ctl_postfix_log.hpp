// Postfix's log: what became of messages that carry a Message-ID of ours, and of their bounces.
#pragma once

#include "base/handle.hpp"
#include "programs/ctl_postfix_lines.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace demail::ctl {

/// What one agent did for one recipient: a line "… to=<…>, relay=…, status=… (…)".
struct Delivery {
    std::string program; ///< "smtp", "error", "cleanup"
    std::string to, relay;
    std::string status; ///< "sent", "bounced", "deferred"
    std::string reason; ///< as Postfix puts it, without brackets
    bool of_bounce = false;
};

/// The lines of some messages, picked from the log. Not thread-safe; does no I/O.
class LogStory {
  public:
    /// Message-IDs as they stand between angle brackets.
    void follow(std::string message_id) { message_ids_.insert(std::move(message_id)); }
    /// More of the log, in whole lines.
    void add(const std::string &lines);
    /// The Message-IDs followed that were not seen yet, or whose message or bounce may still be on
    /// its way: not out of the queue, not refused, not waiting for its next time.
    [[nodiscard]] std::set<std::string, std::less<>> open() const;
    /// Of the message with this Message-ID, under all its queue ids, and of its bounces.
    [[nodiscard]] std::vector<Delivery> deliveries(std::string_view message_id) const;
    [[nodiscard]] std::vector<std::string> queue_ids() const;

  private:
    struct Entry {
        std::string message_id;     ///< where it is followed
        std::string bounce_of;      ///< the queue id of what came back by it
        bool rested = false;        ///< out of the queue
        std::size_t recipients = 0; ///< by qmgr(8); 0: not told yet
        std::vector<Delivery> deliveries;
    };
    [[nodiscard]] std::string_view message_of(const Entry &entry) const;
    void add_line(std::string_view line);

    std::set<std::string, std::less<>> message_ids_;
    std::map<std::string, Entry, std::less<>> entries_; ///< by queue id
};

/// Reads what Postfix logs from now on: maillog_file, /var/log/mail.log, else systemd's journal.
/// Not thread-safe.
class PostfixLog {
  public:
    /// Throws std::runtime_error with a sentence where none of them can be read.
    explicit PostfixLog(const PostfixFacts &facts);
    /// Whole lines since the last call, at most 1 MiB; throws as the constructor.
    [[nodiscard]] std::string more();

  private:
    [[nodiscard]] std::string more_of_file();
    [[nodiscard]] std::string more_of_journal();

    std::string path_;   ///< "" for systemd's journal
    std::string cursor_; ///< of the journal
    Fd file_;
    std::string rest_; ///< a line that is not whole yet
};

} // namespace demail::ctl
