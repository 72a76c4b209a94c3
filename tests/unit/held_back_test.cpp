// What may not go out now, since its sender is blocked or has lost the right: nothing new goes
// out, and what went out before keeps its truth.
#include "check.hpp"
#include "journal/history.hpp"
#include "relay_fixture.hpp"

using namespace demail;
using namespace demail::test;
using journal::State;

namespace {

const std::string a = "a@x.de-mail.de", b = "b@x.de-mail.de";
constexpr journal::Time minute = 60'000'000;
const Reply blocked{550, "5.7.1", "blocked"}, not_known{451, "4.3.0", "not known"};

/// The state of the one submission of this message, as the journal has it; "" where it has none.
std::string state_of(Relay &relay, const SealedMessage &message) {
    const auto all = relay.journal->of_hand_over(message.seal.n);
    return all.empty() ? "" : std::string(journal::name(all.at(0).state));
}

} // namespace

void a_new_one_is_refused_and_written_down() {
    Relay relay;
    const SealedMessage message({a});
    relay.bar = blocked;
    CHECK_EQUAL(relay.deliver(message, {a})[0].text, "blocked");
    CHECK_EQUAL(state_of(relay, message), "refused");
    // A retry of Postfix's gets the same, whoever has lifted the block by then.
    relay.bar.reset();
    CHECK_EQUAL(relay.deliver(message, {a})[0].text, "blocked");
    CHECK(relay.provider->submitted.empty());
}

void where_it_is_not_known_mail_waits_and_goes_out_later() {
    Relay relay;
    const SealedMessage message({a});
    relay.bar = not_known;
    CHECK_EQUAL(relay.deliver(message, {a})[0].enhanced, "4.3.0");
    CHECK_EQUAL(state_of(relay, message), "");
    CHECK(relay.provider->submitted.empty());
    relay.bar.reset();
    CHECK_EQUAL(relay.deliver(message, {a})[0].code, 250);
}

void a_deferred_one_is_refused() {
    Relay relay;
    const SealedMessage message({a});
    relay.provider->submit_answers = {soap::NotSent{"connection refused", false}};
    CHECK_EQUAL(relay.deliver(message, {a})[0].enhanced, "4.4.1");
    relay.bar = not_known;
    CHECK_EQUAL(relay.deliver(message, {a})[0].enhanced, "4.3.0");
    CHECK_EQUAL(state_of(relay, message), "deferred");
    relay.bar = blocked;
    CHECK_EQUAL(relay.deliver(message, {a})[0].enhanced, "5.7.1");
    CHECK_EQUAL(state_of(relay, message), "refused");
    CHECK_EQUAL(relay.provider->submitted.size(), 1U);
}

void an_accepted_one_stays_accepted_and_an_uncertain_one_is_looked_up() {
    for (const Reply &bar : {blocked, not_known}) {
        Relay relay;
        const SealedMessage message({a});
        relay.provider->submit_answers = {soap::NoAnswer{"cut"}};
        CHECK_EQUAL(relay.deliver(message, {a})[0].enhanced, "4.4.2");
        relay.bar = bar;
        CHECK_EQUAL(relay.deliver(message, {a})[0].enhanced, "4.4.2");
        relay.provider->find_answers = {
            soap::Found{soap::Found::State::accepted, "", "<9@fp>", "", ""}};
        CHECK_EQUAL(relay.deliver(message, {a})[0].code, 250);
        CHECK_EQUAL(relay.deliver(message, {a})[0].code, 250);
        CHECK_EQUAL(relay.provider->submitted.size(), 1U);
    }
}

void one_that_the_provider_never_got_does_not_go_out_again() {
    for (const Reply &bar : {blocked, not_known}) {
        Relay relay;
        const SealedMessage message({a});
        const soap::Found unknown{soap::Found::State::unknown, "", "", "", ""};
        relay.provider->submit_answers = {soap::NoAnswer{"cut"}};
        relay.provider->find_answers = {unknown, unknown, unknown, unknown};
        (void)relay.deliver(message, {a});
        relay.bar = bar;
        (void)relay.deliver(message, {a});
        relay.now += minute;
        const bool refused = bar.code >= 500;
        CHECK_EQUAL(relay.deliver(message, {a})[0].enhanced, refused ? "5.7.1" : "4.4.2");
        CHECK_EQUAL(state_of(relay, message), refused ? "refused" : "uncertain");
        CHECK_EQUAL(relay.provider->submitted.size(), 1U);
    }
}

void a_right_that_was_taken_away_does_the_same() {
    Relay relay;
    const SealedMessage sent({a}), fresh({a});
    relay.provider->submit_answers = {soap::NoAnswer{"cut"}};
    CHECK_EQUAL(relay.deliver(sent, {a})[0].enhanced, "4.4.2");
    relay.rules = SenderRules{};
    CHECK_EQUAL(relay.deliver(fresh, {a})[0].enhanced, "5.7.1");
    relay.provider->find_answers = {
        soap::Found{soap::Found::State::accepted, "", "<9@fp>", "", ""}};
    CHECK_EQUAL(relay.deliver(sent, {a})[0].code, 250);
    CHECK_EQUAL(relay.provider->submitted.size(), 1U);
}

void each_submission_of_a_letter_is_looked_at_by_itself() {
    Relay relay;
    const SealedMessage message({a, b}, a); // b is Bcc
    int asked = 0;
    relay::IncomingMessage incoming(relay.directory.path());
    incoming.receive(message.text());
    CHECK(incoming.complete() == relay::IncomingMessage::Fault::none);
    const auto admitted = relay.admit(message, {a, b});
    const std::string queue_id = "4abc";
    const auto replies =
        relay.submitter.submit({std::get<relay::Admitted>(admitted), incoming, relay.account,
                                relay.evidence, std::chrono::seconds(60), queue_id, [&] {
                                    return asked++ == 0 ? std::nullopt : std::optional(blocked);
                                }});
    CHECK_EQUAL(replies[0].code, 250);
    CHECK_EQUAL(replies[1].enhanced, "5.7.1");
    CHECK_EQUAL(relay.provider->submitted.size(), 1U);
}

int main() {
    return run("held_back", {TEST(a_new_one_is_refused_and_written_down),
                             TEST(where_it_is_not_known_mail_waits_and_goes_out_later),
                             TEST(a_deferred_one_is_refused),
                             TEST(an_accepted_one_stays_accepted_and_an_uncertain_one_is_looked_up),
                             TEST(one_that_the_provider_never_got_does_not_go_out_again),
                             TEST(a_right_that_was_taken_away_does_the_same),
                             TEST(each_submission_of_a_letter_is_looked_at_by_itself)});
}
