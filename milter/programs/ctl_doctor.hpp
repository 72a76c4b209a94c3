// demailctl doctor: names what is open in configuration, Postfix, files, daemons and token, and
// what to do. Changes nothing.
#pragma once

#include "programs/ctl_doctor_check.hpp"
#include "programs/ctl_screen.hpp"

#include <string>

namespace demail::ctl {

/// Pure. For people: the worst first, what to do below each.
[[nodiscard]] std::string doctor_text(Checks checks, const Screen &screen);
/// Pure. As demailctl(1) has it.
[[nodiscard]] std::string doctor_json(const Checks &checks, const std::string &directory);

/// `directory`: Postfix's configuration; "": what demail.toml says. Exit code: 0 all good, 1
/// something is bad, 2 something cannot be told.
[[nodiscard]] int doctor(const std::string &configuration_file, std::string directory, bool json);

} // namespace demail::ctl
