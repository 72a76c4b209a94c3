// A message of our own into Postfix's queue, over SMTP on a Unix socket ([relay] deliver_to).
#pragma once

#include <string>

namespace demail::relay {

/// Null sender, one recipient. `message`: CRLF line ends. Returns when Postfix has said 250 after
/// the dot; throws std::runtime_error with a sentence otherwise. At most a minute. Thread-safe.
void mail_to(const std::string &socket, const std::string &recipient, const std::string &message);

} // namespace demail::relay
