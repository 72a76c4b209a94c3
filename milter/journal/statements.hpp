// The statements of every delivery, parsed once for a connection, and the variables that they read
// and write. Not thread-safe: the journal runs one at a time on a connection.
#pragma once

#include "journal/dialect.hpp"

#include <soci/soci.h>

#include <string>

namespace demail::journal {

/// What the statements are bound to, under the columns' names.
struct Bound {
    std::string n, content, account, sender, envelope_sender, mail_id;
    std::string private_id, state, enhanced, reply, message_id, queue_id, relay;
    std::string address, field;
    std::string me, run;  ///< this relay's name, and which of its runs it is
    std::string identity; ///< of the journal that this connection leads to
    long long code = 0, created = 0, changed = 0, not_before = 0, unknown_count = 0, unknown_at = 0;
    long long seal_time = 0, last_delivery = 0, lease = 0, is_final = 0, count = 0;
};

/// SOCI keeps the addresses of `bound`, so this stays where it is. A read statement is to be
/// fetched to its end: until then it holds its snapshot of the database.
struct Statements {
    Statements(soci::session &sql, const Dialect &dialect);
    Statements(const Statements &) = delete;
    Statements &operator=(const Statements &) = delete;

    Bound bound;
    soci::statement begin, commit;
    soci::statement claim, release;
    soci::statement content_of, submissions, recipients, written;
    soci::statement add_hand_over, add_submission, add_recipient, add_history;
    soci::statement start_again, drop_recipients, settle, settle_recipient;
};

} // namespace demail::journal
