// What a sender is told by mail when Postfix has given up a De-Mail whose outcome was not known:
// the bounce could not say it. Pure, thread-safe.
#pragma once

#include "journal/journal.hpp"

#include <string>

namespace demail::relay {

/// A message with CRLF line ends, UTF-8, in German and English. `submission` is accepted, refused
/// or abandoned (then it was not sent). `host`: right of the @ of the message's own id.
[[nodiscard]] std::string sender_notice(const journal::HandOver &hand_over,
                                        const journal::Submission &submission,
                                        const std::string &host, journal::Time now);

} // namespace demail::relay
