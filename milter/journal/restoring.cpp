#include "journal/restoring.hpp"

#include "journal/records.hpp"
#include "journal/words.hpp"

namespace demail::journal {

namespace {

using soci::into;
using soci::use;

constexpr const char *not_final = "state <> 'accepted' and state <> 'refused'";

/// False where this n stands for another content.
bool restore_hand_over(soci::session &sql, const HandOver &hand_over, Time created) {
    const std::string n = key(hand_over.n), sender = hand_over.sender.lower(),
                      envelope_sender = storable(hand_over.envelope_sender),
                      mail_id = storable(hand_over.mail_id);
    const std::string content_told = storable(hand_over.content),
                      account = storable(hand_over.account);
    sql << "insert into hand_over (n, content, account, sender, created, envelope_sender, mail_id, "
           "seal_time) values (:n, :content, :account, :sender, :created, :envelope_sender, "
           ":mail_id, :seal_time) on conflict (n) do nothing",
        use(n), use(content_told), use(account), use(sender), use(created), use(envelope_sender),
        use(mail_id), use(hand_over.seal_time);
    std::string content;
    sql << "select content from hand_over where n = :n", use(n), into(content);
    return content == content_told;
}

/// A row's values under names that SOCI can bind.
struct Row {
    explicit Row(const Submission &submission)
        : private_id(submission.private_id.str()), n(key(submission.n)),
          account(storable(submission.account)), state(name(submission.state)),
          enhanced(storable(submission.outcome.enhanced)), reply(storable(submission.outcome.text)),
          message_id(storable(submission.message_id)), queue_id(storable(submission.queue_id)),
          code(submission.outcome.code), created(submission.created), changed(submission.changed),
          not_before(submission.not_before) {}

    const std::string private_id, n, account, state, enhanced, reply, message_id, queue_id;
    const long long code, created, changed, not_before;
};

long long insert(soci::session &sql, const Row &row, const std::string &relay) {
    soci::statement statement =
        (sql.prepare << "insert into submission (private_id, n, account, state, code, enhanced, "
                        "reply, message_id, queue_id, created, changed, not_before, unknown_count, "
                        "unknown_at, relay, last_delivery) values (:private_id, :n, :account, "
                        ":state, :code, :enhanced, :reply, :message_id, :queue_id, :created, "
                        ":changed, :not_before, 0, 0, :relay, :last_delivery) on conflict "
                        "(private_id) do nothing",
         use(row.private_id), use(row.n), use(row.account), use(row.state), use(row.code),
         use(row.enhanced), use(row.reply), use(row.message_id), use(row.queue_id),
         use(row.created), use(row.changed), use(row.not_before), use(relay), use(row.changed));
    statement.execute(true);
    return statement.get_affected_rows();
}

/// An old copy of the journal was put back: what has happened since is in the evidence alone.
long long catch_up(soci::session &sql, const Row &row, const std::string &relay) {
    soci::statement statement =
        (sql.prepare << std::string("update submission set state = :state, code = :code, enhanced "
                                    "= :enhanced, reply = :reply, message_id = :message_id, "
                                    "changed = :changed, not_before = :not_before, unknown_count "
                                    "= 0, unknown_at = 0, relay = :relay where private_id = "
                                    ":private_id and n = :n and changed < :told and ") +
                            not_final,
         use(row.state), use(row.code), use(row.enhanced), use(row.reply), use(row.message_id),
         use(row.changed), use(row.not_before), use(relay), use(row.private_id), use(row.n),
         use(row.changed));
    statement.execute(true);
    return statement.get_affected_rows();
}

void restore_recipient(soci::session &sql, const Row &row, const SubmissionRecipient &one,
                       Time begun) {
    const std::string address = one.recipient.address.lower(),
                      field(demail::name(one.recipient.field));
    const Reply own = one.outcome.value_or(Reply{});
    const std::string enhanced = storable(own.enhanced), reply = storable(own.text);
    const long long code = own.code;
    // A further attempt frees those it drops, and the journal alone knew when that was.
    sql << "insert into recipient (n, address, private_id, field, code, enhanced, reply) values "
           "(:n, :address, :private_id, :field, :code, :enhanced, :reply) on conflict (n, address) "
           "do update set private_id = excluded.private_id, field = excluded.field, code = "
           "excluded.code, enhanced = excluded.enhanced, reply = excluded.reply where "
           "recipient.private_id = excluded.private_id or exists (select 1 from submission where "
           "submission.private_id = recipient.private_id and state = 'deferred' and changed <= "
           ":begun)",
        use(row.n), use(address), use(row.private_id), use(field), use(code), use(enhanced),
        use(reply), use(begun);
}

} // namespace

bool restore_one(soci::session &sql, const std::string &relay, const Kept &kept, Time now) {
    if (!restore_hand_over(sql, kept.hand_over, kept.submission.created)) return false;
    const Row row(kept.submission);
    if (insert(sql, row, relay) == 0 && catch_up(sql, row, relay) == 0) return false;
    for (const SubmissionRecipient &one : kept.submission.recipients)
        restore_recipient(sql, row, one, kept.begun);
    const std::string told = "restored from the evidence";
    sql << "insert into history (private_id, at, state, code, reply) values (:private_id, :at, "
           ":state, :code, :reply) on conflict do nothing",
        use(row.private_id), use(now), use(row.state), use(row.code), use(told);
    return true;
}

} // namespace demail::journal
