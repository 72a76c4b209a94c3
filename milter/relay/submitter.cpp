#include "relay/submitter.hpp"

#include "base/log.hpp"

#include <algorithm>

namespace demail::relay {

namespace {

using journal::State;
using journal::Submission;

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

} // namespace

/// One delivery's view of a hand-over.
struct Submitter::Work {
    const Delivery &delivery;
    std::vector<Submission> submissions; ///< of this n: known to the journal, or made now
};

std::vector<Reply> Submitter::submit(const Delivery &delivery) {
    const Admitted &admitted = delivery.admitted;
    const auto all = [&](const Reply &reply) {
        return std::vector<Reply>(admitted.recipients.size(), reply);
    };
    belonging_.ensure(delivery.evidence.root());
    const journal::Claim claim(journal_, admitted.seal.n);
    if (!claim.held())
        return all({451, "4.4.2", "This De-Mail is being submitted right now; do not send again"});

    const auto known = journal_.content_of(admitted.seal.n);
    if (known && *known != content_of(admitted.seal))
        return all({550, "5.7.7",
                    "Not sent as De-Mail: another message was sent with this De-Mail seal; send it "
                    "anew"});

    Work work{delivery, {}};
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
    const Admitted &admitted = work.delivery.admitted;
    Submission made;
    made.private_id = PrivateId::make(*admitted.key, admitted.seal.n, of_class,
                                      user_private_id(work.delivery.message.fields()));
    made.n = admitted.seal.n;
    made.account = admitted.seal.account;
    made.queue_id = work.delivery.queue_id;
    made.recipients.push_back({recipient, std::nullopt});
    work.submissions.push_back(std::move(made));
    return work.submissions.back();
}

void Submitter::advance(Work &work, Submission &submission) {
    const Delivery &delivery = work.delivery;
    Attempt attempt({journal_, delivery.evidence, delivery.account, clock_, delivery.lookup_pause,
                     delivery.queue_id});
    const auto submit = [&] {
        if (const auto why = delivery.bar())
            attempt.hold_back(submission, delivery.admitted, delivery.message, *why);
        else
            attempt.submit(submission, delivery.admitted, delivery.message);
    };
    try {
        switch (submission.state) {
        case State::accepted:
        case State::refused:
            return;
        case State::deferred:
            if (clock_() < submission.not_before) return;
            return submit();
        case State::submitting:
            if (submission.created == 0) return submit();
            // Under our claim nobody else is at it: an earlier attempt could not write down its
            // end.
            [[fallthrough]];
        case State::abandoned: // and yet it is here again
            if (submission.not_before == journal::never_again) return;
            [[fallthrough]];
        case State::uncertain:
            if (attempt.look_up(submission)) submit();
            return;
        }
    } catch (const journal::Conflict &) {
        submission.outcome = reply_for_uncertain(delivery.account.provider());
    } catch (const journal::Unavailable &error) {
        log::event(log::Level::error, "deferred",
                   {{"queue_id", delivery.queue_id}, {"reason", error.what()}});
        submission.outcome = submission.state == State::submitting && submission.created != 0
                                 ? reply_for_uncertain(delivery.account.provider())
                                 : reply_for_store();
    }
}

} // namespace demail::relay
