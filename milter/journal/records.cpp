#include "journal/records.hpp"

#include "base/digest.hpp"
#include "journal/transaction.hpp"
#include "journal/words.hpp"

#include <algorithm>

namespace demail::journal {

std::string key(const Nonce &n) {
    return hex(view(n));
}

Nonce nonce_of(const std::string &key) {
    if (const auto n = nonce_in(key)) return *n;
    throw Unavailable("the journal holds a hand-over's key that is none");
}

void bind(Bound &bound, const Reply &reply) {
    bound.code = reply.code;
    bound.enhanced = reply.enhanced;
    bound.reply = storable(reply.text);
}

/// n and private_id are bound.
void write_recipients(Statements &kept, const Submission &submission) {
    for (const SubmissionRecipient &one : submission.recipients) {
        kept.bound.address = one.recipient.address.lower();
        kept.bound.field = demail::name(one.recipient.field);
        kept.add_recipient.execute(true);
    }
}

/// private_id is bound.
void write_history(Statements &kept, State state, const Reply &outcome, Time at) {
    kept.bound.changed = at;
    kept.bound.state = name(state);
    bind(kept.bound, outcome);
    kept.add_history.execute(true);
}

std::vector<Submission> read_submissions(Statements &kept, const Nonce &n) {
    const Bound &row = kept.bound;
    kept.bound.n = key(n);
    std::vector<Submission> found;
    for (Rows rows(kept.submissions); rows.got(); rows.next()) {
        auto id = PrivateId::parse(row.private_id);
        if (!id) throw Unavailable("the journal holds a private-id that is none");
        found.push_back({*std::move(id),
                         n,
                         row.account,
                         state_in(row.state),
                         {static_cast<int>(row.code), row.enhanced, row.reply},
                         row.message_id,
                         row.queue_id,
                         row.created,
                         row.changed,
                         row.not_before,
                         static_cast<int>(row.unknown_count),
                         row.unknown_at,
                         {},
                         row.relay,
                         row.last_delivery});
    }
    return found;
}

void read_recipients(Statements &kept, Submission &submission) {
    const Bound &row = kept.bound;
    kept.bound.n = key(submission.n);
    kept.bound.private_id = submission.private_id.str();
    for (Rows rows(kept.recipients); rows.got(); rows.next()) {
        auto parsed = Address::parse(row.address);
        if (!parsed) throw Unavailable("the journal holds an address that is none");
        SubmissionRecipient one{{*std::move(parsed), field_in(row.field)}, std::nullopt};
        if (row.code != 0) one.outcome = Reply{static_cast<int>(row.code), row.enhanced, row.reply};
        submission.recipients.push_back(std::move(one));
    }
}

} // namespace demail::journal
