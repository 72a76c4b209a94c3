// Sentences for the person who looks for a fault. Thread-safe.
#pragma once

#include <string_view>

namespace demail::module {

/// To standard error with DEMAIL_LOG=stderr (not in setuid programs), else nowhere: a library has
/// no log of its own. One that is said again and again is written once.
void say(std::string_view sentence) noexcept;

} // namespace demail::module
