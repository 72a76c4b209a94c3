#include "journal/history_queries.hpp"

namespace demail::journal::queries {

std::string list(const ListQuery &query) {
    std::string text = "select s.private_id, s.n, h.sender from submission s join hand_over h on "
                       "h.n = s.n where s.created >= :since";
    // A state stands in the text, not bound: a partial index is used where the text shows that it
    // fits.
    if (query.state) text.append(" and s.state = '").append(name(*query.state)).append("'");
    if (query.behind)
        text += " and s.created <= :created and (s.created < :before or s.private_id < :behind)";
    return text + " order by s.created desc, s.private_id desc limit :limit";
}

} // namespace demail::journal::queries
