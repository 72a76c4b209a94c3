#include "journal/evidence_line.hpp"

#include "base/digest.hpp"
#include "base/instant.hpp"
#include "journal/words.hpp"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace demail::journal {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using namespace std::chrono;

constexpr const char *never = "never";

std::string text_of(Time at) {
    return write_instant(floor<milliseconds>(sys_time<microseconds>(microseconds(at))));
}

Time time_in(const json &value) {
    const auto instant = read_instant(value.get_ref<const std::string &>());
    if (!instant) throw std::invalid_argument("no time");
    return duration_cast<microseconds>(instant->time_since_epoch()).count();
}

ordered_json json_of(const Reply &reply) {
    return {{"code", reply.code}, {"enhanced", reply.enhanced}, {"text", reply.text}};
}

Reply reply_in(const json &value) {
    return {value.at("code").get<int>(), value.at("enhanced").get<std::string>(),
            value.at("text").get<std::string>()};
}

std::string written(const ordered_json &line) {
    return line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

template <typename Parsed>
Parsed good(std::optional<Parsed> parsed) {
    if (!parsed) throw std::invalid_argument("not what it should be");
    return *std::move(parsed);
}

/// One line's depth and size are ours; a damaged one must not take the stack along.
json parsed(std::string_view line) {
    constexpr int deepest = 8;
    return json::parse(line, [](int depth, json::parse_event_t, json &) {
        if (depth > deepest) throw std::invalid_argument("too deep");
        return true;
    });
}

Kept begun(const json &line) {
    const json &hand_over = line.at("handOver"), &submission = line.at("submission");
    Kept told;
    told.hand_over.n = good(nonce_in(hand_over.at("n").get_ref<const std::string &>()));
    told.hand_over.content = hand_over.at("content").get<std::string>();
    told.hand_over.account = hand_over.at("account").get<std::string>();
    told.hand_over.sender = good(Address::parse(hand_over.at("sender").get<std::string>()));
    told.submission.created = time_in(submission.at("created"));
    // The first release did not write these.
    told.hand_over.envelope_sender = hand_over.value("envelopeSender", std::string());
    told.hand_over.mail_id = hand_over.value("messageId", std::string());
    told.hand_over.seal_time =
        hand_over.contains("sealed") ? time_in(hand_over.at("sealed")) : told.submission.created;
    told.submission.n = told.hand_over.n;
    told.submission.account = told.hand_over.account;
    told.submission.private_id =
        good(PrivateId::parse(submission.at("privateId").get<std::string>()));
    told.submission.queue_id = submission.at("queueId").get<std::string>();
    told.begun = told.submission.changed = time_in(line.at("at"));
    told.submission.state = State::uncertain;
    for (const json &one : line.at("recipients"))
        told.submission.recipients.push_back(
            {{good(Address::parse(one.at("address").get<std::string>())),
              good(recipient_field(one.at("field").get<std::string>()))},
             std::nullopt});
    return told;
}

Time not_before_in(const json &line) {
    const auto found = line.find("notBefore");
    if (found == line.end()) return 0;
    return *found == never ? never_again : time_in(*found);
}

LookedUp looked_up_in(const json &line) {
    return {line.value("account", std::string()),
            good(state_named(line.at("state").get<std::string>())), time_in(line.at("at")),
            not_before_in(line)};
}

void ended(const json &line, Submission &submission) {
    Submission after = submission;
    after.state = good(state_named(line.at("state").get<std::string>()));
    if (after.state == State::submitting) after.state = State::uncertain;
    after.outcome = reply_in(line.at("reply"));
    after.message_id = line.at("messageId").get<std::string>();
    after.changed = time_in(line.at("at"));
    after.not_before = not_before_in(line);
    for (const json &one : line.at("recipients"))
        for (SubmissionRecipient &recipient : after.recipients)
            if (recipient.recipient.address.lower() == one.at("address"))
                recipient.outcome = reply_in(one.at("reply"));
    submission = std::move(after);
}

} // namespace

std::string line_of_begin(const HandOver &hand_over, const Submission &submission,
                          std::string_view submitted, Time at) {
    ordered_json recipients = ordered_json::array();
    for (const SubmissionRecipient &one : submission.recipients)
        recipients.push_back({{"address", one.recipient.address.lower()},
                              {"field", demail::name(one.recipient.field)}});
    return written({{"at", text_of(at)},
                    {"act", "submit"},
                    {"handOver",
                     {{"n", hex(view(hand_over.n))},
                      {"content", hand_over.content},
                      {"account", hand_over.account},
                      {"sender", hand_over.sender.lower()},
                      {"envelopeSender", hand_over.envelope_sender},
                      {"messageId", hand_over.mail_id},
                      {"sealed", text_of(hand_over.seal_time)}}},
                    {"submission",
                     {{"privateId", submission.private_id.str()},
                      {"queueId", submission.queue_id},
                      {"created", text_of(submission.created)}}},
                    {"recipients", recipients},
                    {"submitted", submitted}});
}

std::string line_of_end(const Submission &submission, std::string_view detail,
                        std::string_view request, Time at) {
    ordered_json recipients = ordered_json::array();
    for (const SubmissionRecipient &one : submission.recipients)
        if (one.outcome)
            recipients.push_back(
                {{"address", one.recipient.address.lower()}, {"reply", json_of(*one.outcome)}});
    ordered_json line{{"at", text_of(at)},
                      {"act", "outcome"},
                      {"account", submission.account},
                      {"state", name(submission.state)},
                      {"reply", json_of(submission.outcome)},
                      {"messageId", submission.message_id},
                      {"recipients", recipients},
                      {"request", request},
                      {"detail", detail}};
    if (submission.not_before == never_again)
        line["notBefore"] = never;
    else if (submission.not_before != 0)
        line["notBefore"] = text_of(submission.not_before);
    return written(line);
}

void EvidenceReader::read(std::string_view line) {
    if (line.empty()) return;
    if (line.size() > longest_evidence_line) return miss();
    try {
        const json object = parsed(line);
        const auto act = object.at("act").get<std::string>();
        if (told_ && is_final(told_->submission.state)) return; // never backwards
        if (act == "submit")
            told_ = begun(object);
        else if (act == "outcome" && told_)
            ended(object, told_->submission);
        else if (act == "outcome")
            looked_up_ = looked_up_in(object);
        else
            miss();
    } catch (const std::exception &) { // cut off, or not ours
        miss();
    }
}

void EvidenceReader::miss() noexcept {
    if (told_ && told_->submission.state == State::deferred)
        told_->submission.state = State::uncertain;
}

} // namespace demail::journal
