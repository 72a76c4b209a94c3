// Whether DNS names a domain as a De-Mail domain: an SRV record _smtp._tcp.DOMAIN with port 1465
// (TR-01201 1.4). A hint, never an authority. Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace demail::dns {

enum class SrvAnswer {
    de_mail, ///< there is such a record
    none,    ///< there is none: NXDOMAIN, no data, or other ports alone
    failed,  ///< not known: no answer that can be used, SERVFAIL for one
    timeout, ///< not known: no server answered in time
};

/// Asks the servers of resolv.conf(5); may take some seconds.
[[nodiscard]] SrvAnswer ask_srv(const std::string &domain);

/// What a DNS answer (RFC 1035 4) says. Pure; never timeout.
[[nodiscard]] SrvAnswer read_srv(std::string_view answer);

} // namespace demail::dns
