#include "relay/given_up.hpp"

#include "base/host_name.hpp"
#include "base/log.hpp"
#include "journal/history.hpp"
#include "relay/postfix_mail.hpp"
#include "relay/sender_notice.hpp"

#include <algorithm>

namespace demail::relay {

namespace {

using journal::State;
using journal::Submission;

constexpr std::size_t in_one_round = 100;
/// Between two questions about one submission.
constexpr std::chrono::seconds longest_pause{600};
constexpr std::chrono::seconds longest_round{60};

journal::Time microseconds(std::chrono::seconds time) {
    return std::chrono::microseconds(time).count();
}

/// A hundredth of the time that Postfix tries, in what is sensible.
std::chrono::seconds pause_of(const Configuration &configuration, std::chrono::seconds longest) {
    return std::clamp(configuration.given_up_after / 100, std::chrono::seconds(1), longest);
}

const Reply not_sent_reply{550, "5.4.7",
                           "Not sent as De-Mail: the De-Mail gateway has given this message up "
                           "after the time for which Postfix tries; send it anew"};

} // namespace

GivenUp::GivenUp(journal::Journal &journal, Clock clock, Mail mail)
    : journal_(journal), clock_(std::move(clock)), mail_(std::move(mail)),
      host_(host_name().empty() ? "demail-gateway" : host_name()) {}

void GivenUp::look(const Settings &settings) {
    const journal::Time now = clock_();
    const auto after = microseconds(settings.configuration->given_up_after);
    for (const Nonce &n : journal_.given_up(now - after, now, in_one_round))
        look_at(settings, n);
}

void GivenUp::look_at(const Settings &settings, const Nonce &n) {
    const journal::Claim claim(journal_, n);
    if (!claim.held()) return; // Postfix has brought it after all, or another host is at it
    const auto story = journal_.history().story(n, "");
    if (!story) return;
    for (Submission &submission : journal_.of_hand_over(n)) {
        if (submission.state == State::accepted || submission.state == State::refused ||
            submission.not_before > clock_())
            continue;
        try {
            look_at(settings, story->hand_over, submission);
        } catch (const journal::Conflict &) { // somebody else has settled it
        } catch (const journal::Unavailable &) {
            throw;
        } catch (const std::exception &error) {
            log::event(
                log::Level::error, "abandoned",
                {{"private_id", submission.private_id.gateway_part()}, {"reason", error.what()}});
        }
    }
}

void GivenUp::look_at(const Settings &settings, const journal::HandOver &hand_over,
                      Submission &submission) {
    const journal::Time now = clock_();
    auto &not_before = not_before_[submission.private_id.str()];
    if (now < not_before) return;
    not_before = now + microseconds(pause_of(*settings.configuration, longest_pause));
    const auto account = settings.accounts.find(submission.account);
    if (account == settings.accounts.end()) return; // not configured on this host
    Attempt attempt({journal_, settings.evidence, *account->second, clock_,
                     settings.configuration->lookup_pause, submission.queue_id});
    if (submission.state == State::deferred) {
        // It was never sent, and that is what Postfix's bounce says.
        attempt.give_up(submission, not_sent_reply, "given up by Postfix before it was sent");
    } else {
        if (submission.state != State::abandoned) {
            submission.state = State::abandoned;
            journal_.settle(submission, now);
            log::event(log::Level::warning, "abandoned",
                       {{"queue_id", submission.queue_id},
                        {"private_id", submission.private_id.gateway_part()},
                        {"reason", "Postfix has given it up; it is being looked up"}});
        }
        const auto told = [&](const Submission &settled) { tell(settings, hand_over, settled); };
        if (attempt.look_up(submission, told)) {
            Submission not_sent = submission;
            not_sent.state = State::abandoned;
            tell(settings, hand_over, not_sent);
            attempt.give_up(submission, not_sent_reply, "the provider does not know it");
        } else if (submission.state == State::abandoned) {
            return;
        }
    }
    not_before_.erase(submission.private_id.str());
}

void GivenUp::tell(const Settings &settings, const journal::HandOver &hand_over,
                   const Submission &submission) {
    if (hand_over.envelope_sender.empty()) return; // a journal of version 1
    mail_(settings, hand_over.envelope_sender,
          sender_notice(hand_over, submission, host_, clock_()));
    log::event(log::Level::notice, "told",
               {{"queue_id", submission.queue_id},
                {"private_id", submission.private_id.gateway_part()},
                {"to", hand_over.envelope_sender},
                {"text", journal::name(submission.state)}});
}

GivenUpWatch::GivenUpWatch(Service &service, journal::Journal &journal, Clock clock)
    : service_(service),
      given_up_(
          journal, std::move(clock),
          [](const Settings &settings, const std::string &recipient, const std::string &message) {
              constexpr std::string_view scheme = "unix:";
              mail_to(settings.configuration->deliver_to.substr(scheme.size()), recipient, message);
          }),
      thread_([this] { run(); }) {}

GivenUpWatch::~GivenUpWatch() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    wake_.notify_all();
    thread_.join();
}

void GivenUpWatch::run() {
    while (true) {
        const auto settings = service_.settings();
        {
            std::unique_lock lock(mutex_);
            wake_.wait_for(lock, pause_of(*settings->configuration, longest_round),
                           [this] { return ending_; });
            if (ending_) return;
        }
        try {
            given_up_.look(*settings);
        } catch (const std::exception &error) {
            log::event(log::Level::error, "journal", {{"reason", error.what()}});
        }
    }
}

} // namespace demail::relay
