// From the configuration's postgresql:// to what libpq connects with.
#pragma once

#include <chrono>
#include <string>

namespace demail::journal {

/// No call of the journal waits longer for a server that hangs: the server's own limits come first,
/// this one holds where the server says nothing any more.
inline constexpr std::chrono::seconds call_limit{12};

/// libpq's "keyword='value' …" with time limits, where the URI has none of its own. Throws
/// Unavailable where it is no such URI, or holds a password: that one belongs into a file
/// (passfile=), since a configuration is shown and copied.
std::string postgresql_settings(const std::string &url);

} // namespace demail::journal
