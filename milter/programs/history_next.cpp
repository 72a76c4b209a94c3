#include "programs/history_answers.hpp"

#include <algorithm>

namespace demail {

using journal::State;
using journal::Submission;

namespace {

constexpr const char *nothing_to_do = "; nothing for you to do";

bool some_refused(const Submission &submission) {
    return std::any_of(submission.recipients.begin(), submission.recipients.end(),
                       [](const journal::SubmissionRecipient &one) {
                           return one.outcome && one.outcome->code >= 500;
                       });
}

std::string brought_again(const Submission &submission) {
    return submission.queue_id.empty() ? ""
                                       : " (at once: postqueue -i " + submission.queue_id + ")";
}

std::string deferred(const Submission &submission) {
    const std::string &status = submission.outcome.enhanced;
    const std::string waits = "nothing was sent; the message waits in Postfix's queue ";
    if (status == "4.7.0")
        return waits +
               "until the provider's refusal of the login is mended and you run demailctl "
               "resume " +
               submission.account;
    if (status == "4.3.0")
        return waits + "until the token can sign: see demailctl card status, demailctl unlock";
    std::string text = "nothing was sent; the relay tries again when Postfix brings the message" +
                       brought_again(submission);
    if (submission.not_before > 0) text += ", not before the time that the provider asked for";
    return text + nothing_to_do;
}

} // namespace

std::string what_is_next(const Submission &submission) {
    switch (submission.state) {
    case State::submitting:
        return std::string("the relay is at work on it, or was cut off: then it asks the provider "
                           "when it starts and Postfix brings the message again") +
               nothing_to_do;
    case State::accepted:
        return std::string(some_refused(submission)
                               ? "the provider has it, but not for all recipients: Postfix tells "
                                 "the sender of those that were refused"
                               : "the provider has it") +
               nothing_to_do;
    case State::refused:
        return "it is settled: Postfix returns the message to the sender with this reply; what "
               "the reply names is to be mended before it is sent anew";
    case State::deferred:
        return deferred(submission);
    case State::uncertain:
        return "the provider may have it: the relay asks the provider again when Postfix brings "
               "the message" +
               brought_again(submission) +
               ", and sends it a second time only where the provider says twice that it does not "
               "know it" +
               nothing_to_do + ", and nobody should send it anew";
    case State::abandoned:
        if (submission.not_before == journal::never_again)
            return "it was given up and is not sent any more; where it is still needed, the sender "
                   "sends it anew";
        return "Postfix has given the message up; the relay asks the provider under its private-id "
               "and tells the sender by mail what it says";
    }
    return "";
}

} // namespace demail
