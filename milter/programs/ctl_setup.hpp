// demailctl setup --print: the lines that Postfix needs, joined with what is there. Changes
// nothing.
#pragma once

#include "admin/configuration.hpp"
#include "programs/ctl_postfix_lines.hpp"

#include <string>

namespace demail::ctl {

/// Pure. `directory`: Postfix's configuration, for the headings.
[[nodiscard]] std::string setup_text(const PostfixLines &lines, const std::string &directory);
[[nodiscard]] Wishes wishes_of(const Configuration &configuration,
                               const std::string &queue_directory);

/// `directory`: Postfix's configuration; "": what demail.toml says, else Postfix's default. Exit
/// code: 0, 69 where Postfix does not answer.
[[nodiscard]] int print_setup(const Configuration &configuration, std::string directory, bool json);

} // namespace demail::ctl
