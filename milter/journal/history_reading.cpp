#include "journal/history_reading.hpp"

#include "base/digest.hpp"
#include "journal/history_queries.hpp"
#include "journal/records.hpp"
#include "journal/words.hpp"

#include <algorithm>

namespace demail::journal {

using soci::into;
using soci::use;

namespace {

Address address_of(const std::string &column) {
    auto parsed = Address::parse(column);
    if (!parsed) throw Unavailable("the journal holds an address that is none");
    return *std::move(parsed);
}

std::size_t count(soci::session &sql, const char *query, const std::string &n,
                  const std::string &private_id) {
    long long found = 0;
    if (private_id.empty())
        sql << query, use(n), into(found);
    else
        sql << query, use(n), use(private_id), into(found);
    return static_cast<std::size_t>(found);
}

void read_recipients(soci::session &sql, Submission &submission, std::size_t most) {
    const std::string n = key(submission.n), &id = submission.private_id.str();
    const auto limit = static_cast<long long>(most);
    std::string address, field, enhanced, reply;
    long long code = 0;
    soci::statement rows = (sql.prepare << queries::recipients, use(n), use(id), use(limit),
                            into(address), into(field), into(code), into(enhanced), into(reply));
    rows.execute();
    while (rows.fetch()) {
        SubmissionRecipient one{{address_of(address), field_in(field)}, std::nullopt};
        if (code != 0) one.outcome = Reply{static_cast<int>(code), enhanced, reply};
        submission.recipients.push_back(std::move(one));
    }
}

/// nullopt where the journal does not have it any more.
std::optional<Submission> read_submission(soci::session &sql, const Nonce &n,
                                          const std::string &private_id, std::size_t recipients) {
    Submission one;
    std::string state;
    long long code = 0, created = 0, changed = 0, not_before = 0, unknown_count = 0, unknown_at = 0,
              last_delivery = 0;
    sql << queries::submission, use(private_id), into(one.account), into(state), into(code),
        into(one.outcome.enhanced), into(one.outcome.text), into(one.message_id),
        into(one.queue_id), into(created), into(changed), into(not_before), into(unknown_count),
        into(unknown_at), into(one.relay), into(last_delivery);
    if (!sql.got_data()) return std::nullopt;
    auto id = PrivateId::parse(private_id);
    if (!id) throw Unavailable("the journal holds a private-id that is none");
    one.private_id = *std::move(id);
    one.n = n;
    one.state = state_in(state);
    one.outcome.code = static_cast<int>(code);
    one.created = created;
    one.changed = changed;
    one.not_before = not_before;
    one.unknown_count = static_cast<int>(unknown_count);
    one.unknown_at = unknown_at;
    one.last_delivery = last_delivery;
    read_recipients(sql, one, recipients);
    return one;
}

std::vector<Change> read_changes(soci::session &sql, const std::string &private_id,
                                 std::size_t most) {
    const auto limit = static_cast<long long>(most);
    std::string state, reply;
    long long at = 0, code = 0;
    std::vector<Change> changes;
    soci::statement rows = (sql.prepare << queries::changes, use(private_id), use(limit), into(at),
                            into(state), into(code), into(reply));
    rows.execute();
    while (rows.fetch())
        changes.push_back({at, state_in(state), static_cast<int>(code), reply});
    std::reverse(changes.begin(), changes.end());
    return changes;
}

std::vector<std::string> private_ids_of(soci::session &sql, const std::string &n) {
    const auto limit = static_cast<long long>(most_told);
    std::string id;
    std::vector<std::string> ids;
    soci::statement rows = (sql.prepare << queries::private_ids, use(n), use(limit), into(id));
    rows.execute();
    while (rows.fetch())
        ids.push_back(id);
    return ids;
}

const char *query_by(Clue clue) {
    switch (clue) {
    case Clue::queue_id:
        return queries::by_queue_id;
    case Clue::mail_id:
        return queries::by_mail_id;
    case Clue::message_id:
        return queries::by_message_id;
    case Clue::private_id:
        return queries::by_private_id;
    default:
        return queries::by_beginning;
    }
}

} // namespace

std::vector<Found> read_found(soci::session &sql, Clue clue, const std::string &text,
                              std::size_t limit) {
    const auto most = static_cast<long long>(limit);
    const bool names_one = clue != Clue::queue_id && clue != Clue::mail_id;
    const std::string end = text + "g"; // behind every hex digit
    std::string n, id;
    std::vector<Found> found;
    soci::statement rows(sql);
    rows.alloc();
    rows.prepare(query_by(clue));
    rows.exchange(use(text));
    if (clue == Clue::beginning) rows.exchange(use(end));
    rows.exchange(use(most));
    rows.exchange(into(n));
    if (names_one) rows.exchange(into(id));
    rows.define_and_bind();
    rows.execute();
    while (rows.fetch())
        found.push_back({nonce_of(n), id});
    return found;
}

std::optional<Story> read_story(soci::session &sql, const Nonce &n, const std::string &only) {
    const std::string column = key(n);
    std::string content, account, sender, envelope_sender, mail_id;
    long long created = 0, seal_time = 0;
    sql << queries::hand_over, use(column), into(content), into(account), into(sender),
        into(created), into(envelope_sender), into(mail_id), into(seal_time);
    if (!sql.got_data()) return std::nullopt;
    Story story{{n, content, account, address_of(sender), envelope_sender, mail_id, seal_time},
                created,
                {},
                count(sql, queries::count_of_private_ids, column, "")};
    const auto ids = only.empty() ? private_ids_of(sql, column) : std::vector<std::string>{only};
    std::size_t recipients = most_recipients_told, changes = most_changes_told;
    for (const std::string &id : ids) {
        auto submission = read_submission(sql, n, id, recipients);
        if (!submission) continue;
        Told told{*std::move(submission), 0, read_changes(sql, id, changes)};
        told.recipients = count(sql, queries::count_of_recipients, column, id);
        recipients -= told.submission.recipients.size();
        changes -= told.changes.size();
        story.submissions.push_back(std::move(told));
    }
    std::stable_sort(
        story.submissions.begin(), story.submissions.end(),
        [](const Told &a, const Told &b) { return a.submission.created < b.submission.created; });
    return story;
}

std::vector<Listed> read_list(soci::session &sql, const ListQuery &query) {
    const auto most = static_cast<long long>(query.limit);
    const Place place = query.behind.value_or(Place{});
    struct Row {
        std::string id, n, sender;
    };
    Row row;
    std::vector<Row> found;
    soci::statement rows(sql);
    rows.alloc();
    rows.prepare(queries::list(query));
    rows.exchange(use(query.since));
    if (query.behind) {
        rows.exchange(use(place.created));
        rows.exchange(use(place.created));
        rows.exchange(use(place.private_id));
    }
    rows.exchange(use(most));
    rows.exchange(into(row.id));
    rows.exchange(into(row.n));
    rows.exchange(into(row.sender));
    rows.define_and_bind();
    rows.execute();
    while (rows.fetch())
        found.push_back(row);

    std::vector<Listed> all;
    for (const Row &one : found) {
        auto submission = read_submission(sql, nonce_of(one.n), one.id, most_recipients_listed);
        if (!submission) continue;
        all.push_back({*std::move(submission), one.sender,
                       count(sql, queries::count_of_recipients, one.n, one.id)});
    }
    return all;
}

} // namespace demail::journal
