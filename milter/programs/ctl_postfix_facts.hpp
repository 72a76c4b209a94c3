// What stands in Postfix's configuration, asked of postconf(1). Changes nothing.
#pragma once

#include "programs/ctl_postfix_lines.hpp"

#include <string>

namespace demail::ctl {

/// `directory`: Postfix's configuration; "": Postfix's default. Throws std::runtime_error with a
/// sentence where postconf does not tell.
[[nodiscard]] PostfixFacts ask_postfix(const std::string &directory);

} // namespace demail::ctl
