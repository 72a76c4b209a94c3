// One search in a directory, over TLS, in full or not at all (RFC 4511, 4513, 2696).
#pragma once

#include "directory/entry_rules.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace demail::directory {

struct Server {
    std::string url;           ///< ldaps://, ldap:// (then StartTLS) or ldapi://; several by blanks
    std::string ca_file;       ///< whom to believe; not used by ldapi://
    std::string bind_dn;       ///< "": anonymous; by ldapi:// as the process (EXTERNAL)
    std::string password_file; ///< of bind_dn
    std::chrono::seconds timeout{10}; ///< for each answer
};

struct Search {
    std::string base, filter;
    std::string from, as, login; ///< attributes
    std::string defaults, allow; ///< attributes; "" for none
    int page = 1000;             ///< entries
};

/// Hands each entry to `take`, whose sentence ends it. "" where all that fits was seen: no
/// referral, no limit reached, no page missing. Else a sentence. Nothing of the process's
/// environment, no ldap.conf(5) has a say: set LDAPNOINIT before the first thread starts.
/// Thread-safe.
[[nodiscard]] std::string search(const Server &server, const Search &search,
                                 const std::function<std::string(const Entry &)> &take);

/// Called once, at the start of main.
void take_no_ldap_conf();

} // namespace demail::directory
