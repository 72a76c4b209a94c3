// A DNS answer, as whoever answers wrote it.
#include "dns/de_mail_srv.hpp"
#include "fuzz.hpp"

#include <cstring>

namespace demail::fuzz {

void srv_answer(std::string_view answer) {
    using dns::SrvAnswer;
    const SrvAnswer said = dns::read_srv(answer);
    HOLDS(said != SrvAnswer::timeout);
    // RFC 2782: type 33 with port 1465 must be somewhere in it, behind a header (RFC 1035 4.1.1).
    constexpr std::string_view type("\0\x21", 2), port("\x05\xb9", 2);
    if (said == SrvAnswer::de_mail)
        HOLDS(answer.size() > 12 && answer.find(type, 12) != std::string_view::npos &&
              answer.find(port, 12) != std::string_view::npos);
    // A longer buffer with the same answer says the same or nothing more.
    if (said != SrvAnswer::de_mail && answer.size() > 12)
        HOLDS(dns::read_srv(answer.substr(0, 12)) != SrvAnswer::de_mail);
}

} // namespace demail::fuzz
