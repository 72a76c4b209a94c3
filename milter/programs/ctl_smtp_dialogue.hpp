// SMTP by hand (RFC 5321), where what each command is answered counts. libcurl connects, greets and
// begins TLS.
#pragma once

#include "base/handle.hpp"

#include <curl/curl.h>

#include <string>
#include <string_view>

namespace demail::ctl {

/// A server of this host. TLS certificates are not looked at.
struct SmtpEndpoint {
    std::string host;         ///< name or address; "" with a socket
    std::string port;         ///< a number
    std::string socket;       ///< path of a Unix socket
    bool tls_at_once = false; ///< smtpd_tls_wrappermode
};

struct SmtpReply {
    int code = 0;     ///< 0: the connection broke
    std::string text; ///< the last line, without its end
    [[nodiscard]] bool good() const noexcept { return code / 100 == 2; }
};

/// Not thread-safe. Each answer may take half a minute.
class SmtpDialogue {
  public:
    /// Until EHLO is answered, and STARTTLS where it is offered; throws std::runtime_error with a
    /// sentence.
    explicit SmtpDialogue(const SmtpEndpoint &endpoint);
    /// Without its line end.
    [[nodiscard]] SmtpReply command(std::string_view line);

  private:
    [[nodiscard]] bool send(std::string_view bytes);
    [[nodiscard]] bool wait(short events);
    [[nodiscard]] SmtpReply reply();

    Handle<CURL, curl_easy_cleanup> handle_;
    std::string got_;
};

} // namespace demail::ctl
