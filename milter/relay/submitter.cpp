#include "relay/submitter.hpp"

#include "base/log.hpp"
#include "message/content.hpp"

#include <algorithm>

namespace demail::relay {

namespace {

using journal::State;
using journal::Submission;

constexpr journal::Time microseconds = 1'000'000;

bool visible(const Submission &submission) {
    return std::none_of(submission.recipients.begin(), submission.recipients.end(),
                        [](const journal::SubmissionRecipient &one) {
                            return one.recipient.field == RecipientField::bcc;
                        });
}

journal::SubmissionRecipient *find(Submission &submission, const Address &address) {
    const auto found = std::find_if(
        submission.recipients.begin(), submission.recipients.end(),
        [&](const journal::SubmissionRecipient &one) { return one.recipient.address == address; });
    return found == submission.recipients.end() ? nullptr : &*found;
}

std::string content_of(const Seal &seal) {
    return hex(view(seal.fields)) + hex(view(seal.body));
}

} // namespace

/// One delivery's view of a hand-over.
struct Submitter::Work {
    const Admitted &admitted;
    const IncomingMessage &message;
    Account &account;
    std::chrono::seconds lookup_pause;
    const std::string &queue_id;
    std::vector<Submission> submissions; ///< of this n: known to the journal, or made now
};

std::vector<Reply> Submitter::submit(const Admitted &admitted, const IncomingMessage &message,
                                     Account &account, std::chrono::seconds lookup_pause,
                                     const std::string &queue_id) {
    const auto all = [&](const Reply &reply) {
        return std::vector<Reply>(admitted.recipients.size(), reply);
    };
    const journal::Claim claim(journal_, admitted.seal.n);
    if (!claim.held())
        return all({451, "4.4.2", "This De-Mail is being submitted right now; do not send again"});

    const auto known = journal_.content_of(admitted.seal.n);
    if (known && *known != content_of(admitted.seal))
        return all({550, "5.7.7",
                    "Not sent as De-Mail: another message was sent with this De-Mail seal; send it "
                    "anew"});

    Work work{admitted, message, account, lookup_pause, queue_id, {}};
    if (known) work.submissions = journal_.of_hand_over(admitted.seal.n);
    // A deferred one was never sent: it goes out again to those who are there now. An uncertain one
    // may have been: it keeps its recipients.
    for (Submission &submission : work.submissions)
        if (submission.state == State::deferred)
            std::erase_if(submission.recipients, [&](const journal::SubmissionRecipient &one) {
                return std::none_of(admitted.recipients.begin(), admitted.recipients.end(),
                                    [&](const Admitted::Allowed &allowed) {
                                        return allowed.recipient.address == one.recipient.address;
                                    });
            });

    std::vector<PrivateId> belongs;
    for (const auto &allowed : admitted.recipients)
        belongs.push_back(submission_for(work, allowed.recipient).private_id);
    for (Submission &submission : work.submissions)
        if (std::find(belongs.begin(), belongs.end(), submission.private_id) != belongs.end())
            advance(work, submission);

    std::vector<Reply> replies;
    for (std::size_t i = 0; i < belongs.size(); ++i) {
        const auto submission =
            std::find_if(work.submissions.begin(), work.submissions.end(),
                         [&](const Submission &one) { return one.private_id == belongs[i]; });
        const auto *own = find(*submission, admitted.recipients[i].recipient.address);
        replies.push_back(own != nullptr && own->outcome ? *own->outcome : submission->outcome);
    }
    return replies;
}

journal::HandOver Submitter::hand_over(const Work &work) {
    const Seal &seal = work.admitted.seal;
    const HeaderField *mail_id = topmost(work.message.fields(), "Message-ID");
    return {seal.n,
            content_of(seal),
            seal.account,
            seal.sender,
            seal.envelope_sender,
            mail_id == nullptr ? std::string() : mail_id->unfolded(),
            seal.time * microseconds};
}

/// The submission that this recipient belongs to: the journal's, else one of this delivery (To and
/// Cc share it).
Submission &Submitter::submission_for(Work &work, const Recipient &recipient) {
    for (Submission &submission : work.submissions)
        if (find(submission, recipient.address) != nullptr) return submission;

    const bool bcc = recipient.field == RecipientField::bcc;
    std::size_t visible_ones = 0;
    if (!bcc)
        for (Submission &submission : work.submissions) {
            if (!visible(submission)) continue;
            ++visible_ones;
            const bool open = submission.created == 0 || submission.state == State::deferred;
            if (!open) continue;
            submission.recipients.push_back({recipient, std::nullopt});
            return submission;
        }
    // A second visible one: the first went out to others of this hand-over already.
    std::string of_class = submission_class(recipient);
    if (visible_ones > 0) of_class += "/" + std::to_string(visible_ones + 1);
    Submission made;
    made.private_id = PrivateId::make(*work.admitted.key, work.admitted.seal.n, of_class,
                                      user_private_id(work.message.fields()));
    made.n = work.admitted.seal.n;
    made.account = work.admitted.seal.account;
    made.queue_id = work.queue_id;
    made.recipients.push_back({recipient, std::nullopt});
    work.submissions.push_back(std::move(made));
    return work.submissions.back();
}

void Submitter::advance(Work &work, Submission &submission) {
    try {
        switch (submission.state) {
        case State::accepted:
        case State::refused:
            return;
        case State::deferred:
            if (clock_() < submission.not_before) return;
            return attempt(work, submission);
        case State::submitting:
            if (submission.created == 0) return attempt(work, submission);
            // Under our claim nobody else is at it: an earlier attempt could not write down its
            // end.
            return look_up(work, submission);
        case State::uncertain:
        case State::abandoned: // and yet it is here again
            return look_up(work, submission);
        }
    } catch (const journal::Conflict &) {
        submission.outcome = reply_for_uncertain(work.account.provider());
    } catch (const journal::Unavailable &error) {
        log::event(log::Level::error, "deferred",
                   {{"queue_id", work.queue_id}, {"reason", error.what()}});
        submission.outcome = submission.state == State::submitting && submission.created != 0
                                 ? reply_for_uncertain(work.account.provider())
                                 : reply_for_store();
    }
}

void Submitter::attempt(Work &work, Submission &submission) {
    const std::string &provider = work.account.provider();
    const bool first = submission.created == 0;
    const bool was_uncertain = !first && submission.state != State::deferred;
    // Nothing has gone out yet: what fails here leaves the submission as it was.
    const auto not_now = [&](const Outcome &outcome, const std::string &why) {
        submission.outcome = was_uncertain ? reply_for_uncertain(provider) : outcome.reply;
        if (outcome.suspend) work.account.suspend(why);
        log::event(log::Level::warning, was_uncertain ? "uncertain" : "deferred",
                   {{"queue_id", work.queue_id},
                    {"private_id", submission.private_id.gateway_part()},
                    {"reason", why}});
    };
    if (const auto why = work.account.suspended())
        return not_now(outcome_of(soap::Fault{"not-authorised", {}, {}}, provider), *why);
    auto wire = work.account.wire();
    if (const auto *fault = std::get_if<soap::TokenFault>(&wire))
        return not_now(outcome_of(*fault, provider), fault->why);
    auto description = work.account.description();
    const auto *account = std::get_if<soap::Account>(&description);
    if (account == nullptr) {
        if (const auto *fault = std::get_if<soap::Fault>(&description))
            return not_now(outcome_of(*fault, provider), "GetAccount: " + fault->code);
        if (const auto *fault = std::get_if<soap::TokenFault>(&description))
            return not_now(outcome_of(*fault, provider), fault->why);
        if (const auto *failure = std::get_if<soap::NotSent>(&description))
            return not_now(outcome_of(*failure, provider), failure->why);
        return not_now(outcome_of(soap::NotSent{{}, false}, provider),
                       "GetAccount: " + std::get<soap::NoAnswer>(description).why);
    }

    std::vector<Recipient> recipients;
    for (const auto &one : submission.recipients)
        recipients.push_back(one.recipient);
    const Seal &seal = work.admitted.seal;
    auto header = submission_header(work.message.fields(),
                                    {seal.sender, recipients, seal.options, submission.private_id},
                                    work.admitted.right, work.admitted.envelope_sender);

    const journal::Time now = clock_();
    if (first) {
        submission.created = now;
        try {
            journal_.begin(hand_over(work), submission);
        } catch (...) {
            submission.created = 0;
            throw;
        }
    } else {
        journal_.begin_again(submission, now);
        submission.state = State::submitting;
    }

    if (const auto *not_mappable = std::get_if<NotMappable>(&header))
        return settle(work, submission,
                      {State::refused, {550, "5.7.1", not_mappable->sentence}, {}, false, false},
                      "a field does not map");
    soap::Content content{std::get<std::string>(std::move(header)), work.message.body_fd(), 0,
                          work.message.body_bytes()};
    if (account->max_message_bytes != 0 &&
        content.header.size() + content.body_length > account->max_message_bytes)
        return settle(work, submission, outcome_of(soap::Fault{"too-large", {}, {}}, provider),
                      "over the account's limit");

    auto answer = std::get<std::shared_ptr<soap::Provider>>(wire)->submit(
        {submission.private_id, seal.sender, recipients, seal.options, std::move(content)});
    if (auto *submitted = std::get_if<soap::Submitted>(&answer)) {
        submission.message_id = submitted->message_id;
        for (const auto &rejected : submitted->rejected)
            if (const auto address = Address::parse(rejected.address))
                if (auto *one = find(submission, *address))
                    one->outcome = reply_for_rejected(rejected.code, rejected.reason, provider);
        return settle(work, submission,
                      {State::accepted,
                       reply_for_accepted(submitted->message_id, provider),
                       {},
                       false,
                       false},
                      submitted->message_id);
    }
    if (const auto *fault = std::get_if<soap::Fault>(&answer)) {
        const Outcome outcome = outcome_of(*fault, provider);
        settle(work, submission, outcome, fault->code);
        if (outcome.look_up) look_up(work, submission);
    } else if (const auto *not_sent = std::get_if<soap::NotSent>(&answer)) {
        settle(work, submission, outcome_of(*not_sent, provider), not_sent->why);
    } else if (const auto *no_answer = std::get_if<soap::NoAnswer>(&answer)) {
        // TLS 1.3: the refusal of our certificate may come after the request went out.
        if (no_answer->login_refused) work.account.suspend(no_answer->why);
        settle(work, submission, outcome_of(*no_answer, provider), no_answer->why);
    } else {
        const auto &token = std::get<soap::TokenFault>(answer);
        settle(work, submission, outcome_of(token, provider), token.why);
    }
}

void Submitter::look_up(Work &work, Submission &submission) {
    const std::string &provider = work.account.provider();
    submission.outcome = reply_for_uncertain(provider);
    if (work.account.suspended()) return;
    auto wire = work.account.wire();
    if (std::holds_alternative<soap::TokenFault>(wire)) return;
    auto answer = std::get<std::shared_ptr<soap::Provider>>(wire)->find_submission(
        submission.private_id.str());
    const auto *found = std::get_if<soap::Found>(&answer);
    if (found == nullptr) {
        if (const auto *fault = std::get_if<soap::Fault>(&answer);
            fault != nullptr && outcome_of(*fault, provider).suspend)
            work.account.suspend("FindSubmission: " + fault->code);
        return;
    }
    switch (found->state) {
    case soap::Found::State::accepted:
        submission.message_id = found->message_id;
        return settle(
            work, submission,
            {State::accepted, reply_for_accepted(found->message_id, provider), {}, false, false},
            found->message_id);
    case soap::Found::State::refused:
        return settle(
            work, submission,
            {State::refused, reply_for_rejected("", found->reason, provider), {}, false, false},
            "refused, says the look-up");
    case soap::Found::State::unknown:
        break;
    }
    const journal::Time now = clock_();
    if (submission.unknown_count > 0 &&
        now - submission.unknown_at >= work.lookup_pause.count() * microseconds) {
        submission.unknown_count = 0;
        return attempt(work, submission);
    }
    if (submission.unknown_count > 0) return;
    submission.unknown_count = 1;
    submission.unknown_at = now;
    settle(work, submission, {State::uncertain, submission.outcome, {}, false, false},
           "the provider does not know it yet");
}

void Submitter::settle(Work &work, Submission &submission, const Outcome &outcome,
                       const std::string &detail) {
    const journal::Time now = clock_();
    submission.outcome = outcome.reply;
    submission.not_before =
        outcome.state == State::deferred ? now + outcome.retry_after.count() * microseconds : 0;
    if (outcome.suspend) work.account.suspend(detail);
    Submission settled = submission;
    settled.state = outcome.state;
    journal_.settle(settled, now);
    submission.state =
        outcome.state; // only now: a journal that failed leaves `submitting`, to be looked up
    const bool good = outcome.state == State::accepted;
    log::event(good ? log::Level::info : log::Level::warning,
               good ? "submitted" : journal::name(outcome.state),
               {{"queue_id", work.queue_id},
                {"private_id", submission.private_id.gateway_part()},
                {"account", submission.account},
                {"recipients", std::to_string(submission.recipients.size())},
                {good ? "message_id" : "reason", detail}});
}

} // namespace demail::relay
