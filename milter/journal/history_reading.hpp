// history.hpp's questions put to one connection. Throw soci_error and Unavailable.
#pragma once

#include "journal/history.hpp"

#include <soci/soci.h>

namespace demail::journal {

std::vector<Found> read_found(soci::session &sql, Clue clue, const std::string &text,
                              std::size_t limit);
std::optional<Story> read_story(soci::session &sql, const Nonce &n, const std::string &only);
std::vector<Listed> read_list(soci::session &sql, const ListQuery &query);

} // namespace demail::journal
