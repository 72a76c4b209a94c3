#include "journal/statements.hpp"

#include <fmt/format.h>

namespace demail::journal {

using soci::into;
using soci::use;

// SQLite fills a table of its own with each list of IN or NOT IN, at every execution, at the price
// of the rest of the transaction: comparisons stand here and in the schema instead.
Statements::Statements(soci::session &sql, const Dialect &dialect)
    : begin((sql.prepare << dialect.begin)), commit((sql.prepare << "commit")),
      // Ours, or nobody's, or of a host that has died. None for a run of this relay that was
      // followed by another one.
      claim((sql.prepare << fmt::format(
                 "insert into claim (n, relay, until) select :n, name, {0} + :lease from relay "
                 "where name = :relay and run = :run on conflict (n) do update set "
                 "relay = excluded.relay, until = excluded.until where "
                 "claim.relay = excluded.relay or claim.until < {0}",
                 dialect.now),
             use(bound.n), use(bound.lease), use(bound.me), use(bound.run))),
      release((sql.prepare << "delete from claim where n = :n and relay = :relay", use(bound.n),
               use(bound.me))),
      content_of((sql.prepare << "select content from hand_over where n = :n", use(bound.n),
                  into(bound.content))),
      // Each submission has a recipient, and those of one n lie together.
      submissions(
          (sql.prepare << "select private_id, account, state, code, enhanced, reply, message_id, "
                          "queue_id, created, changed, not_before, unknown_count, unknown_at, "
                          "relay, last_delivery from submission where private_id in (select "
                          "private_id from recipient where n = :n) order by created, private_id",
           use(bound.n), into(bound.private_id), into(bound.account), into(bound.state),
           into(bound.code), into(bound.enhanced), into(bound.reply), into(bound.message_id),
           into(bound.queue_id), into(bound.created), into(bound.changed), into(bound.not_before),
           into(bound.unknown_count), into(bound.unknown_at), into(bound.relay),
           into(bound.last_delivery))),
      recipients((sql.prepare << "select address, field, code, enhanced, reply from recipient "
                                 "where n = :n and private_id = :private_id order by address",
                  use(bound.n), use(bound.private_id), into(bound.address), into(bound.field),
                  into(bound.code), into(bound.enhanced), into(bound.reply))),
      written((sql.prepare << "select count(*) from submission where private_id = :private_id and "
                              "state = :state and changed = :changed and relay = :relay",
               use(bound.private_id), use(bound.state), use(bound.changed), use(bound.me),
               into(bound.count))),
      add_hand_over(
          (sql.prepare << "insert into hand_over (n, content, account, sender, created, "
                          "envelope_sender, mail_id, seal_time) values (:n, :content, :account, "
                          ":sender, :created, :envelope_sender, :mail_id, :seal_time) on "
                          "conflict (n) do nothing",
           use(bound.n), use(bound.content), use(bound.account), use(bound.sender),
           use(bound.created), use(bound.envelope_sender), use(bound.mail_id),
           use(bound.seal_time))),
      add_submission(
          (sql.prepare << "insert into submission (private_id, n, account, state, code, enhanced, "
                          "reply, message_id, queue_id, created, changed, not_before, "
                          "unknown_count, unknown_at, relay, last_delivery) values (:private_id, "
                          ":n, :account, :state, 0, '', '', '', :queue_id, :created, :changed, "
                          "0, 0, 0, :relay, :last_delivery)",
           use(bound.private_id), use(bound.n), use(bound.account), use(bound.state),
           use(bound.queue_id), use(bound.created), use(bound.created), use(bound.me),
           use(bound.created))),
      add_recipient((sql.prepare << "insert into recipient (n, address, private_id, field, code, "
                                    "enhanced, reply) values (:n, :address, :private_id, :field, "
                                    "0, '', '')",
                     use(bound.n), use(bound.address), use(bound.private_id), use(bound.field))),
      add_history((sql.prepare << "insert into history (private_id, at, state, code, reply) values "
                                  "(:private_id, :at, :state, :code, :reply) on conflict do "
                                  "nothing",
                   use(bound.private_id), use(bound.changed), use(bound.state), use(bound.code),
                   use(bound.reply))),
      start_again((sql.prepare << "update submission set state = 'submitting', changed = :now, "
                                  "relay = :relay, last_delivery = :delivery where private_id = "
                                  ":private_id and state <> 'accepted' and state <> 'refused'",
                   use(bound.changed), use(bound.me), use(bound.changed), use(bound.private_id))),
      drop_recipients((sql.prepare << "delete from recipient where n = :n and private_id = "
                                      ":private_id",
                       use(bound.n), use(bound.private_id))),
      // Never backwards: what is final stays. A relay whose lease has run out meanwhile may still
      // say what it knows for good, but not that another one's attempt has ended.
      settle((sql.prepare << fmt::format(
                  "update submission set state = :state, code = :code, enhanced = :enhanced, "
                  "reply = :reply, message_id = :message_id, changed = :now, not_before = "
                  ":not_before, unknown_count = :unknown_count, unknown_at = :unknown_at, relay = "
                  ":relay where private_id = :private_id and state <> 'accepted' and state <> "
                  "'refused' and (:is_final = 1 or not exists (select 1 from claim where claim.n = "
                  "submission.n and claim.relay <> :me and claim.until > {}))",
                  dialect.now),
              use(bound.state), use(bound.code), use(bound.enhanced), use(bound.reply),
              use(bound.message_id), use(bound.changed), use(bound.not_before),
              use(bound.unknown_count), use(bound.unknown_at), use(bound.me), use(bound.private_id),
              use(bound.is_final), use(bound.me))),
      settle_recipient((sql.prepare
                            << "update recipient set code = :code, enhanced = :enhanced, reply = "
                               ":reply where n = :n and address = :address",
                        use(bound.code), use(bound.enhanced), use(bound.reply), use(bound.n),
                        use(bound.address))) {}

} // namespace demail::journal
