// The questions of history.hpp in SQL: one text for SQLite and PostgreSQL, each answered by an
// index (journal_history_test looks at the plans).
#pragma once

#include "journal/history.hpp"

#include <string>

namespace demail::journal::queries {

/// → n; of :key, at most :limit
inline constexpr const char *by_queue_id =
    "select n from submission where queue_id = :key group by n order by max(created) desc limit "
    ":limit";
inline constexpr const char *by_mail_id =
    "select n from hand_over where mail_id = :key order by created desc limit :limit";
/// → n, private_id; of :key, at most :limit
inline constexpr const char *by_message_id =
    "select n, private_id from submission where message_id = :key and message_id <> '' order by "
    "created desc limit :limit";
inline constexpr const char *by_private_id =
    "select n, private_id from submission where private_id = :key limit :limit";
/// → n, private_id; from :key to before :end, at most :limit
inline constexpr const char *by_beginning =
    "select n, private_id from submission where private_id >= :key and private_id < :end order by "
    "private_id limit :limit";

inline constexpr const char *hand_over =
    "select content, account, sender, created, envelope_sender, mail_id, seal_time from hand_over "
    "where n = :n";
/// Those of one n lie together in the recipients.
inline constexpr const char *private_ids =
    "select distinct private_id from recipient where n = :n order by private_id limit :limit";
inline constexpr const char *count_of_private_ids =
    "select count(distinct private_id) from recipient where n = :n";
inline constexpr const char *submission =
    "select account, state, code, enhanced, reply, message_id, queue_id, created, changed, "
    "not_before, unknown_count, unknown_at, relay, last_delivery from submission where private_id "
    "= :private_id";
inline constexpr const char *recipients =
    "select address, field, code, enhanced, reply from recipient where n = :n and private_id = "
    ":private_id order by address limit :limit";
inline constexpr const char *count_of_recipients =
    "select count(*) from recipient where n = :n and private_id = :private_id";
/// The latest first.
inline constexpr const char *changes =
    "select at, state, code, reply from history where private_id = :private_id order by at desc, "
    "state desc limit :limit";

/// → n; not for people but for what Postfix has given up: sealed before :sealed_before, due at
/// :now, at most :limit. The first condition is the index's own.
inline constexpr const char *given_up =
    "select s.n from submission s join hand_over h on h.n = s.n where (s.state = 'submitting' or "
    "s.state = 'deferred' or s.state = 'uncertain' or s.state = 'abandoned') and h.seal_time < "
    ":sealed_before and s.not_before <= :now group by s.n order by min(s.created) limit :limit";

/// → state, how many; the condition is the index's own
inline constexpr const char *open_ones =
    "select state, count(*) from submission where state = 'submitting' or state = 'deferred' or "
    "state = 'uncertain' or state = 'abandoned' group by state";
/// → state, how many were begun since :since
inline constexpr const char *final_ones =
    "select state, count(*) from submission where created >= :since and (state = 'accepted' or "
    "state = 'refused') group by state";

/// → private_id, n, sender; by :since, with a place also :created, :before and :behind; :limit.
[[nodiscard]] std::string list(const ListQuery &query);

} // namespace demail::journal::queries
