// The marked probes of demailctl selftest leak: by every way into a running Postfix that needs no
// change of its configuration, and what its log says became of them.
#pragma once

#include "programs/ctl_doctor_postfix.hpp"
#include "programs/ctl_postfix_log.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace demail::ctl {

struct WayReport {
    std::string name; ///< "smtpd 127.0.0.1:25 inet"
    std::size_t probes = 0;
    std::size_t refused = 0; ///< not taken by Postfix
    std::size_t bounced = 0; ///< by Postfix or by the relay
    std::size_t waiting = 0; ///< for the relay, or since a table does not answer
    std::size_t kept = 0;    ///< delivered on this host
    std::vector<Delivery> leaks;
    std::string unknown; ///< what could not be told, a sentence; "" for nothing
};

enum class Fate { bounced, waiting, kept, filtered, leak };
/// What a delivery means for a letter to De-Mail. `filters`: content_filter's values; what was
/// handed to one of them is seen again. Pure.
[[nodiscard]] Fate fate_of(const Delivery &delivery, std::string_view lmtp_socket,
                           const std::vector<std::string> &filters);

/// Sends small messages without a sender to each of the addresses by each smtpd of master.cf and by
/// sendmail(1), and has a message bounced to each; waits up to a minute for what becomes of them;
/// takes what waits out of the queue. Throws std::runtime_error with a sentence where Postfix's log
/// cannot be read; nothing is sent then. `view`: facts, wishes and directory.
[[nodiscard]] std::vector<WayReport> send_probes(const PostfixView &view,
                                                 const std::vector<std::string> &addresses);

} // namespace demail::ctl
