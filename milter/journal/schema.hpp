// The journal's tables and how they came to be.
#pragma once

#include "journal/dialect.hpp"

#include <soci/soci.h>

#include <string>

namespace demail::journal {

inline constexpr int schema_version = 2;

/// Brings the database to schema_version: in one transaction, under a lock, so that two relays may
/// start at once. Throws Unavailable where it was written by a newer version, and soci_error.
void migrate(soci::session &sql, const Dialect &dialect);

/// Random hex digits that the journal got when it was made, or migrated from a version without.
std::string identity_of(soci::session &sql);

} // namespace demail::journal
