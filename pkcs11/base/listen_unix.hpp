// A daemon's Unix socket. Thread-safe.
#pragma once

#include "base/handle.hpp"

#include <sys/types.h>

#include <string>

namespace demail {

/// A listening, non-blocking Unix socket at `path`: a stale one is replaced, a living one is an
/// error; the mode is set before anybody can connect. Throws std::system_error with the path in its
/// text.
[[nodiscard]] Fd listen_unix(const std::string &path, mode_t mode);

} // namespace demail
