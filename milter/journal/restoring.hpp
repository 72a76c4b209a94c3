// A submission that evidence tells of, brought into the journal's tables.
#pragma once

#include "journal/journal.hpp"

#include <soci/soci.h>

#include <string>

namespace demail::journal {

/// Within a transaction. False where the journal knows as much, or knows the hand-over's n with
/// another content. See Journal::restore().
bool restore_one(soci::session &sql, const std::string &relay, const Kept &kept, Time now);

} // namespace demail::journal
