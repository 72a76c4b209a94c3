#include "relay/attempt.hpp"

#include "base/log.hpp"
#include "message/content.hpp"
#include "relay/obstacle.hpp"

#include <algorithm>

namespace demail::relay {

namespace {

using journal::State;
using journal::Submission;

constexpr journal::Time microseconds = 1'000'000;

journal::HandOver hand_over_of(const Seal &seal, const IncomingMessage &message) {
    const HeaderField *mail_id = topmost(message.fields(), "Message-ID");
    return {seal.n,
            content_of(seal),
            seal.account,
            seal.sender,
            seal.envelope_sender,
            mail_id == nullptr ? std::string() : mail_id->unfolded(),
            seal.time * microseconds};
}

/// The outcomes of recipients to whom an accepted submission did not go.
void set_rejected(Submission &submission, const std::vector<soap::Rejected> &rejected,
                  const std::string &provider) {
    for (const auto &one : rejected)
        if (const auto address = Address::parse(one.address))
            for (auto &recipient : submission.recipients)
                if (recipient.recipient.address == *address)
                    recipient.outcome = reply_for_rejected(one.code, one.reason, provider);
}

} // namespace

std::string content_of(const Seal &seal) {
    return hex(view(seal.fields)) + hex(view(seal.body));
}

/// Keeps what goes over the wire: the request before its first byte, so that what cannot be kept is
/// not sent.
class Attempt::Kept final : public soap::Exchange {
  public:
    explicit Kept(journal::EvidenceRecord &record) : record_(record) {}

    void sending(std::string_view envelope) override {
        try {
            record_.sending(envelope);
        } catch (const journal::Unavailable &) {
            failed_ = true;
            throw;
        }
    }
    void answered(std::string_view reply) noexcept override { record_.answered(reply); }

    [[nodiscard]] bool failed() const noexcept { return failed_; }
    [[nodiscard]] journal::EvidenceRecord &record() noexcept { return record_; }

  private:
    journal::EvidenceRecord &record_;
    bool failed_ = false;
};

struct Attempt::Ready {
    std::shared_ptr<soap::Provider> wire;
    soap::Account account;
};

/// The wire and what the provider says of the account, or why nothing can go out now.
std::variant<Attempt::Ready, Obstacle> Attempt::ready() {
    Account &account = parts_.account;
    const std::string &provider = account.provider();
    if (const auto why = account.suspended())
        return Obstacle{outcome_of(soap::Fault{"not-authorised", {}, {}}, provider), *why};
    if (const auto why = account.resting())
        return Obstacle{outcome_of(soap::NotSent{{}, false}, provider), *why};
    auto wire = account.wire();
    if (const auto *fault = std::get_if<soap::TokenFault>(&wire))
        return Obstacle{outcome_of(*fault, provider), fault->why};
    auto description = account.description();
    if (const auto *good = std::get_if<soap::Account>(&description))
        return Ready{std::get<std::shared_ptr<soap::Provider>>(std::move(wire)), *good};
    return no_answer(description, "GetAccount", provider);
}

/// What is known before a byte goes out. A refusal rests on what the provider says now.
std::optional<Obstacle> Attempt::obstacle(const soap::Account &said,
                                          const std::vector<Recipient> &recipients,
                                          const OptionSet &options, std::uint64_t bytes) {
    Account &account = parts_.account;
    if (obstacle_of_account(said, options, bytes, account)) {
        const auto answer = account.description_of_now();
        const auto *now = std::get_if<soap::Account>(&answer);
        if (now == nullptr) return no_answer(answer, "GetAccount", account.provider());
        if (auto found = obstacle_of_account(*now, options, bytes, account)) return found;
    }
    return obstacle_of_directory(account, recipients, options);
}

/// Nothing has gone out: the submission stays as it was.
void Attempt::not_now(Submission &submission, const Obstacle &why) {
    const bool uncertain = submission.created != 0 && submission.state != State::deferred;
    submission.outcome =
        uncertain ? reply_for_uncertain(parts_.account.provider()) : why.outcome.reply;
    if (why.outcome.suspend) parts_.account.suspend(why.why);
    log::event(log::Level::warning, uncertain ? "uncertain" : "deferred",
               {{"queue_id", parts_.queue_id},
                {"private_id", submission.private_id.gateway_part()},
                {"reason", why.why}});
}

/// From here on the journal knows that it is being tried.
void Attempt::begin(Submission &submission, const journal::HandOver &hand_over, journal::Time now) {
    if (submission.created != 0) {
        parts_.journal.begin_again(submission, now);
        submission.state = State::submitting;
        return;
    }
    submission.created = now;
    try {
        parts_.journal.begin(hand_over, submission);
    } catch (...) {
        submission.created = 0;
        throw;
    }
}

void Attempt::hold_back(Submission &submission, const Admitted &admitted,
                        const IncomingMessage &message, const Reply &why) {
    const bool first = submission.created == 0;
    if (why.code < 500)
        return not_now(submission, {{State::deferred, why, {}, false, false}, why.text});
    begin(submission, hand_over_of(admitted.seal, message), parts_.clock());
    refuse(submission, {outcome_for_refused(why), why.text}, first);
}

void Attempt::submit(Submission &submission, const Admitted &admitted,
                     const IncomingMessage &message) {
    const bool first = submission.created == 0;
    auto made_ready = ready();
    if (const auto *why = std::get_if<Obstacle>(&made_ready)) return not_now(submission, *why);
    const auto &[wire, account] = std::get<Ready>(made_ready);

    std::vector<Recipient> recipients;
    for (const auto &one : submission.recipients)
        recipients.push_back(one.recipient);
    const Seal &seal = admitted.seal;
    auto header = submission_header(message.fields(),
                                    {seal.sender, recipients, seal.options, submission.private_id},
                                    admitted.right, admitted.envelope_sender);
    const journal::FileRegion body = message.body();
    std::optional<Obstacle> found;
    if (const auto *written = std::get_if<std::string>(&header))
        found = obstacle(account, recipients, seal.options, written->size() + body.length);
    if (found && found->outcome.state == State::deferred) return not_now(submission, *found);

    const journal::HandOver hand_over = hand_over_of(seal, message);
    const journal::Time now = parts_.clock();
    begin(submission, hand_over, now);

    if (const auto *not_mappable = std::get_if<NotMappable>(&header))
        return settle(submission, outcome_for_refused({550, "5.7.1", not_mappable->sentence}),
                      "a field does not map", nullptr);
    if (found) return refuse(submission, *found, first);
    soap::Content content{std::get<std::string>(std::move(header)), body.fd, body.offset,
                          body.length};

    journal::EvidenceRecord record(parts_.evidence.root(), submission);
    try {
        record.begin(hand_over, submission, message.whole(), content.header, body, now);
    } catch (const journal::Unavailable &error) {
        return settle(submission, outcome_for_store(), error.what(), nullptr);
    }
    Kept kept(record);
    auto answer = wire->submit(
        {submission.private_id, seal.sender, recipients, seal.options, std::move(content), &kept});
    answered(submission, answer, kept);
}

/// Of what was never submitted there is no evidence; what was, hears the end of it.
void Attempt::refuse(Submission &submission, const Obstacle &why, bool first) {
    for (std::size_t i = 0; i < why.each.size(); ++i)
        submission.recipients[i].outcome = why.each[i];
    if (first) return settle(submission, why.outcome, why.why, nullptr);
    journal::EvidenceRecord record(parts_.evidence.root(), submission);
    settle(submission, why.outcome, why.why, &record);
}

void Attempt::answered(Submission &submission, soap::Answer<soap::Submitted> &answer, Kept &kept) {
    const std::string &provider = parts_.account.provider();
    journal::EvidenceRecord *record = &kept.record();
    if (auto *submitted = std::get_if<soap::Submitted>(&answer)) {
        submission.message_id = submitted->message_id;
        set_rejected(submission, submitted->rejected, provider);
        return settle(submission, outcome_for_accepted(submitted->message_id, provider),
                      submitted->message_id, record);
    }
    if (const auto *fault = std::get_if<soap::Fault>(&answer)) {
        const Outcome outcome = outcome_of(*fault, provider);
        if (fault->code == "option-not-permitted" || fault->code == "too-large")
            parts_.account.forget_description();
        settle(submission, outcome, fault->code, record);
        // The provider has it already; an `unknown` now is no reason to submit once more.
        if (outcome.look_up) (void)look_up(submission);
    } else if (const auto *not_sent = std::get_if<soap::NotSent>(&answer)) {
        settle(submission, kept.failed() ? outcome_for_store() : outcome_of(*not_sent, provider),
               not_sent->why, kept.failed() ? nullptr : record);
    } else if (const auto *no_answer = std::get_if<soap::NoAnswer>(&answer)) {
        // TLS 1.3: the refusal of our certificate may come after the request went out.
        if (no_answer->login_refused) parts_.account.suspend(no_answer->why);
        settle(submission, outcome_of(*no_answer, provider), no_answer->why, record);
    } else {
        const auto &token = std::get<soap::TokenFault>(answer);
        settle(submission, outcome_of(token, provider), token.why, record);
    }
}

bool Attempt::look_up(Submission &submission, const Tell &tell) {
    Account &account = parts_.account;
    const std::string &provider = account.provider();
    submission.outcome = reply_for_uncertain(provider);
    if (account.suspended() || account.resting()) return false;
    auto wire = account.wire();
    if (std::holds_alternative<soap::TokenFault>(wire)) return false;
    journal::EvidenceRecord record(parts_.evidence.root(), submission);
    Kept kept(record);
    auto answer = std::get<std::shared_ptr<soap::Provider>>(wire)->find_submission(
        submission.private_id.str(), &kept);
    const auto *found = std::get_if<soap::Found>(&answer);
    if (found == nullptr) {
        if (const auto *fault = std::get_if<soap::Fault>(&answer);
            fault != nullptr && outcome_of(*fault, provider).suspend)
            account.suspend("FindSubmission: " + fault->code);
        return false;
    }
    switch (found->state) {
    case soap::Found::State::accepted:
        submission.message_id = found->message_id;
        set_rejected(submission, found->rejected, provider); // the reply that told us may be lost
        settle(submission, outcome_for_accepted(found->message_id, provider), found->message_id,
               &record, tell);
        return false;
    case soap::Found::State::refused:
        settle(submission, outcome_for_refused(reply_for_rejected("", found->reason, provider)),
               "refused, says the look-up", &record, tell);
        return false;
    case soap::Found::State::unknown:
        break;
    }
    const journal::Time now = parts_.clock();
    if (submission.unknown_count > 0) {
        if (now - submission.unknown_at < parts_.lookup_pause.count() * microseconds) return false;
        submission.unknown_count = 0;
        return true;
    }
    submission.unknown_count = 1;
    submission.unknown_at = now;
    const State state = submission.state == State::abandoned ? State::abandoned : State::uncertain;
    settle(submission, {state, submission.outcome, {}, false, false},
           "the provider does not know it yet", &record);
    return false;
}

void Attempt::settle(Submission &submission, const Outcome &outcome, const std::string &detail,
                     journal::EvidenceRecord *record, const Tell &tell) {
    const journal::Time now = parts_.clock();
    submission.outcome = outcome.reply;
    submission.not_before =
        outcome.state == State::deferred ? now + outcome.retry_after.count() * microseconds : 0;
    if (outcome.suspend) parts_.account.suspend(detail);
    Submission settled = submission;
    settled.state = outcome.state;
    if (tell) tell(settled);
    write_down(settled, detail, now, record);
    submission.state =
        outcome.state; // only now: a journal that failed leaves `submitting`, to be looked up
}

void Attempt::give_up(Submission &submission, const Reply &reply, const std::string &detail) {
    submission.state = State::abandoned;
    submission.outcome = reply;
    submission.not_before = journal::never_again;
    journal::EvidenceRecord record(parts_.evidence.root(), submission);
    write_down(submission, detail, parts_.clock(), &record);
}

void Attempt::write_down(const Submission &settled, const std::string &detail, journal::Time now,
                         journal::EvidenceRecord *record) {
    if (record != nullptr) {
        try {
            record->end(settled, detail, now);
        } catch (const journal::Unavailable &error) { // what has happened has happened
            log::event(log::Level::error, "evidence",
                       {{"queue_id", parts_.queue_id},
                        {"private_id", settled.private_id.gateway_part()},
                        {"reason", error.what()}});
        }
    }
    parts_.journal.settle(settled, now);
    const bool good = settled.state == State::accepted;
    log::event(good ? log::Level::info : log::Level::warning,
               good ? "submitted" : journal::name(settled.state),
               {{"queue_id", parts_.queue_id},
                {"private_id", settled.private_id.gateway_part()},
                {"account", settled.account},
                {"recipients", std::to_string(settled.recipients.size())},
                {good ? "message_id" : "reason", detail}});
}

} // namespace demail::relay
