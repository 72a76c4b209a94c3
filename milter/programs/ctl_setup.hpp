// demailctl setup: the lines that Postfix needs, joined with what is there, to be read or written.
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

/// Writes the lines that do not stand by postconf(1), and says which. main.cf and master.cf as they
/// were are kept beside them, with ".before-demail" behind their names; those of an earlier change
/// are overwritten. Postfix is not reloaded. Directory and exit code as above; 69 too where
/// something was not written.
[[nodiscard]] int apply_setup(const Configuration &configuration, std::string directory, bool json);

} // namespace demail::ctl
