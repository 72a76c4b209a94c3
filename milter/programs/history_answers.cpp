#include "programs/history_answers.hpp"

#include "base/handle.hpp"
#include "base/word.hpp"
#include "journal/purge.hpp"
#include "programs/history_clues.hpp"
#include "programs/history_time.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

namespace demail {

using journal::Clue;
using journal::State;
using journal::Submission;

/// Where a clue leads to.
struct HistoryAnswers::Lead {
    Clue clue;
    journal::Found found;
};

namespace {

using Json = HistoryAnswers::Json;

/// Hand-overs of one answer: short queue ids repeat, and a sender may hand a mail in again.
constexpr std::size_t most_stories = 10;
/// An answer stays below the control socket's limit.
constexpr std::size_t most_octets = std::size_t{3} << 20;

Json time_of(journal::Time time) {
    return time == 0 ? Json() : Json(write_time(time));
}

Json text_of(const std::string &text) {
    return text.empty() ? Json() : Json(text);
}

Json reply_of(const Reply &reply) {
    if (reply.code == 0) return {};
    return {{"code", reply.code}, {"enhanced", reply.enhanced}, {"text", reply.text}};
}

Json recipients_of(const Submission &submission) {
    Json all = Json::array();
    for (const journal::SubmissionRecipient &one : submission.recipients)
        all.push_back({{"address", one.recipient.address.lower()},
                       {"field", demail::name(one.recipient.field)},
                       {"reply", one.outcome ? reply_of(*one.outcome) : Json()}});
    return all;
}

/// The head of a submission, in a list and elsewhere.
Json head_of(const Submission &submission) {
    return {{"privateId", submission.private_id.gateway_part()},
            {"state", journal::name(submission.state)},
            {"account", submission.account},
            {"queueId", text_of(submission.queue_id)},
            {"messageId", text_of(submission.message_id)},
            {"firstAttempt", time_of(submission.created)},
            {"changed", time_of(submission.changed)},
            {"reply", reply_of(submission.outcome)}};
}

Json evidence_in(const std::string &path) {
    const Fd opened(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    Json evidence{{"directory", path}, {"there", bool(opened)}, {"purged", Json()}};
    if (opened)
        if (const auto at = journal::purged_at({path, "", opened.get()}))
            evidence["purged"] = time_of(*at);
    return evidence;
}

long long number(const std::string &word, long long least, long long most) {
    long long value = 0;
    const char *end = word.data() + word.size();
    const auto [stop, error] = std::from_chars(word.data(), end, value);
    if (error != std::errc() || stop != end || value < least || value > most)
        throw std::invalid_argument("\"" + word + "\" is no number that fits there");
    return value;
}

std::string text_of_only(const HistoryAnswers::Words &words) {
    if (words.size() != 1) throw std::invalid_argument("this command takes one word");
    auto text = text_of_word(words.front());
    if (!text) throw std::invalid_argument("the word is not well encoded");
    return *std::move(text);
}

std::optional<State> state_of(const std::string &word) {
    if (word == "any") return std::nullopt;
    for (const State state : {State::submitting, State::accepted, State::refused, State::deferred,
                              State::uncertain, State::abandoned})
        if (journal::name(state) == word) return state;
    throw std::invalid_argument("there is no state \"" + word + "\"");
}

std::string next_place(const Submission &last) {
    return std::to_string(last.created) + "," + as_word(last.private_id.str());
}

journal::Place place_of(const std::string &word) {
    const std::size_t comma = word.find(',');
    const auto id = text_of_word(comma == std::string::npos ? "" : word.substr(comma + 1));
    if (comma == std::string::npos || !id)
        throw std::invalid_argument("this is no place in a list");
    return {number(word.substr(0, comma), 0, INT64_MAX), *id};
}

/// Throws where a beginning is not unique.
void require_one(const std::vector<journal::Found> &found, const std::string &beginning) {
    if (found.size() < 2) return;
    std::string some;
    for (const journal::Found &one : found)
        some += (some.empty() ? "" : ", ") + one.private_id.substr(0, beginning.size() + 8);
    throw std::invalid_argument("more than one private-id begins with " + beginning + ": " + some +
                                "; give more digits");
}

} // namespace

Json HistoryAnswers::list(const Words &words) const {
    if (words.size() != 3 && words.size() != 4)
        throw std::invalid_argument("list takes a state, a time, a limit and a place");
    journal::ListQuery query;
    query.state = state_of(words[0]);
    query.since = number(words[1], 0, INT64_MAX);
    query.limit = static_cast<std::size_t>(number(words[2], 1, most_listed)) + 1;
    if (words.size() == 4) query.behind = place_of(words[3]);
    auto found = history_.list(query);
    const bool more = found.size() == query.limit;
    if (more) found.pop_back();
    Json all = Json::array();
    for (const journal::Listed &one : found) {
        Json row = head_of(one.submission);
        row["sender"] = one.sender;
        row["recipients"] = recipients_of(one.submission);
        row["recipientsInAll"] = one.recipients;
        all.push_back(std::move(row));
    }
    return {{"submissions", std::move(all)},
            {"more", more},
            {"next", more ? Json(next_place(found.back().submission)) : Json()}};
}

/// What the text may name, each hand-over (`to_one`: each submission) once.
std::vector<HistoryAnswers::Lead> HistoryAnswers::leads(const std::string &text,
                                                        bool to_one) const {
    std::vector<Lead> all;
    std::optional<std::pair<std::vector<journal::Found>, std::string>> unclear;
    for (const NamedClue &clue : clues_of(text)) {
        if (to_one && (clue.clue == Clue::queue_id || clue.clue == Clue::mail_id)) continue;
        const bool beginning = clue.clue == Clue::beginning;
        auto found = history_.find(clue.clue, clue.text, beginning ? 4 : most_stories + 1);
        if (beginning && found.size() > 1) {
            unclear.emplace(std::move(found), clue.text);
            continue;
        }
        for (journal::Found &one : found) {
            const bool known = std::any_of(all.begin(), all.end(), [&](const Lead &lead) {
                return lead.found.n == one.n &&
                       (!to_one || lead.found.private_id == one.private_id);
            });
            if (!known) all.push_back({clue.clue, std::move(one)});
        }
    }
    if (all.empty() && unclear) require_one(unclear->first, unclear->second);
    return all;
}

Json HistoryAnswers::told(const journal::Told &told) const {
    const Submission &submission = told.submission;
    Json whole = head_of(submission);
    whole["lastDelivery"] = time_of(submission.last_delivery);
    whole["notBefore"] = time_of(submission.not_before);
    whole["relay"] = text_of(submission.relay);
    whole["unknownAnswers"] = submission.unknown_count;
    whole["recipients"] = recipients_of(submission);
    whole["recipientsInAll"] = told.recipients;
    whole["changes"] = Json::array();
    for (const journal::Change &one : told.changes)
        whole["changes"].push_back({{"at", time_of(one.at)},
                                    {"state", journal::name(one.state)},
                                    {"code", one.code == 0 ? Json() : Json(one.code)},
                                    {"text", text_of(one.reply)}});
    whole["next"] = what_is_next(submission);
    const std::string directory = evidence_ + "/" + year_and_month(submission.created) + "/" +
                                  std::string(submission.private_id.gateway_part().substr(3));
    whole["evidence"] = evidence_in(directory);
    return whole;
}

Json HistoryAnswers::story(const Lead &lead, const journal::Story &story) const {
    const journal::HandOver &given = story.hand_over;
    Json submissions = Json::array();
    for (const journal::Told &one : story.submissions)
        submissions.push_back(told(one));
    return {{"by", demail::name(lead.clue)},
            {"handOver",
             {{"account", given.account},
              {"sender", given.sender.lower()},
              {"envelopeSender", given.envelope_sender},
              {"mailId", text_of(given.mail_id)},
              {"sealed", time_of(given.seal_time)},
              {"firstBrought", time_of(story.first_brought)}}},
            {"submissions", std::move(submissions)},
            {"submissionsInAll", story.all}};
}

Json HistoryAnswers::show(const Words &words) const {
    const std::string text = text_of_only(words);
    const auto found = leads(text, true);
    if (found.size() > 1)
        throw std::invalid_argument("more than one submission goes by that; demailctl trace shows "
                                    "them");
    Json answer{{"asked", text}, {"found", Json::array()}, {"more", false}};
    for (const Lead &one : found)
        if (const auto known = history_.story(one.found.n, one.found.private_id))
            answer["found"].push_back(story(one, *known));
    return answer;
}

Json HistoryAnswers::trace(const Words &words) const {
    const std::string text = text_of_only(words);
    Json answer{{"asked", text}, {"found", Json::array()}, {"more", false}};
    std::size_t octets = 0;
    for (const Lead &one : leads(text, false)) {
        const auto known = history_.story(one.found.n, "");
        if (!known) continue;
        Json told = story(one, *known);
        octets += told.dump(-1, ' ', true, Json::error_handler_t::replace).size();
        if (answer["found"].size() == most_stories ||
            (octets > most_octets && !answer["found"].empty())) {
            answer["more"] = true;
            break;
        }
        answer["found"].push_back(std::move(told));
    }
    return answer;
}

} // namespace demail
