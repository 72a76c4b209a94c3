// What doctor looks at beside Postfix: configuration, files, daemons, token. Changes nothing; what
// this user may not look at cannot be told.
#pragma once

#include "admin/configuration.hpp"
#include "base/peer.hpp"
#include "programs/ctl_doctor_check.hpp"

#include <sys/stat.h>

#include <string>

namespace demail::ctl {

/// Whether somebody with this uid and these groups may read a file (`wanted` 4) or pass a directory
/// (1). Pure.
[[nodiscard]] bool may(const Peer &who, const struct stat &status, mode_t wanted);

/// demail.toml's warnings, and the files it names.
void check_configuration_files(const Configuration &configuration, const std::string &file,
                               Checks &checks);
/// Domain list, its index, spool, evidence, room.
void check_files_of_relay(const Configuration &configuration, Checks &checks);
/// As demailctl status has it.
void check_daemons(const Configuration &configuration, Checks &checks);
/// demail-cardd, where a key lies on one of its cards; the certificates of all keys.
void check_tokens(const Configuration &configuration, Checks &checks);

} // namespace demail::ctl
