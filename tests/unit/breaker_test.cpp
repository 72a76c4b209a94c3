// A provider that does not answer is left alone for a while; De-Mails wait and nobody is uncertain.
#include "check.hpp"
#include "relay/breaker.hpp"
#include "relay_fixture.hpp"

using namespace demail;
using namespace demail::test;
using relay::Breaker;

namespace {

using std::chrono::seconds;

struct Guarded {
    std::chrono::steady_clock::time_point now{};
    std::shared_ptr<Breaker> breaker =
        std::make_shared<Breaker>("fp", seconds(0), [this] { return now; });
    FakeProvider *fake = new FakeProvider;
    std::unique_ptr<soap::Provider> provider =
        relay::behind(breaker, std::unique_ptr<soap::Provider>(fake));

    void ask(const soap::Answer<soap::Account> &answer, int times = 1) {
        fake->account = answer;
        for (int i = 0; i < times; ++i)
            (void)provider->get_account();
    }
    [[nodiscard]] bool rests() const { return breaker->resting().has_value(); }
};

const soap::NoAnswer nothing{"cut"};
const soap::Account described{"Firm", true, {}, {}, 1};

void several_requests_in_a_row_without_an_answer_make_it_rest() {
    Guarded guarded;
    guarded.ask(nothing, Breaker::failures_allowed - 1);
    CHECK(!guarded.rests());
    guarded.ask(nothing);
    CHECK(guarded.rests());
    guarded.fake->account = described;
    CHECK(std::holds_alternative<soap::NotSent>(guarded.provider->get_account()));
}

void a_short_time_without_an_answer_is_borne() {
    Guarded guarded;
    guarded.breaker =
        std::make_shared<Breaker>("fp", seconds(120), [&guarded] { return guarded.now; });
    for (int i = 0; i < 120; ++i, guarded.now += seconds(1)) {
        CHECK(!guarded.rests());
        guarded.breaker->failed("cut");
    }
    guarded.breaker->failed("cut");
    CHECK(guarded.rests());
}

void an_answer_between_them_starts_the_count_anew() {
    Guarded guarded;
    guarded.ask(nothing, Breaker::failures_allowed - 1);
    guarded.ask(soap::Fault{"unavailable", "", {}});
    guarded.ask(nothing, Breaker::failures_allowed - 1);
    CHECK(!guarded.rests());
}

void after_the_rest_one_request_tries() {
    Guarded guarded;
    guarded.ask(soap::NotSent{"refused", false}, Breaker::failures_allowed);
    guarded.now += Breaker::first_rest;
    CHECK(!guarded.rests());
    CHECK(!guarded.breaker->begin());
    CHECK(guarded.breaker->begin()); // another one waits
    guarded.breaker->answered();
    CHECK(!guarded.rests());
    CHECK(!guarded.breaker->begin());
    CHECK(!guarded.breaker->begin());
}

void a_rest_in_vain_is_followed_by_a_longer_one_up_to_a_limit() {
    Guarded guarded;
    guarded.ask(nothing, Breaker::failures_allowed);
    seconds rest = Breaker::first_rest;
    for (int i = 0; i < 12; ++i) {
        guarded.now += rest - seconds(1);
        CHECK(guarded.rests());
        guarded.now += seconds(1);
        CHECK(!guarded.rests());
        guarded.ask(nothing);
        rest = std::min(2 * rest, Breaker::longest_rest);
    }
    CHECK(guarded.breaker->resting()->find("300 s") != std::string::npos);
}

void a_card_or_a_login_that_fails_is_not_the_providers_silence() {
    Guarded guarded;
    guarded.ask(soap::TokenFault{"locked"}, 20);
    guarded.ask(soap::NotSent{"TLS", true}, 20);
    CHECK(!guarded.rests());
}

void one_that_tried_and_did_not_come_to_ask_lets_another_try() {
    Guarded guarded;
    guarded.ask(nothing, Breaker::failures_allowed);
    guarded.now += Breaker::first_rest;
    guarded.ask(soap::TokenFault{"locked"});
    CHECK(!guarded.rests());
}

void while_it_rests_de_mails_are_deferred_and_none_becomes_uncertain() {
    Relay relay;
    Guarded guarded;
    relay::Account account(
        "firm", "fp", [&] { return std::make_unique<FakeProvider>(); }, guarded.breaker);
    guarded.ask(nothing, Breaker::failures_allowed);
    SealedMessage message({"a@x.de-mail.de"});
    relay::IncomingMessage incoming(relay.directory.path());
    incoming.receive(message.text());
    CHECK(incoming.complete() == relay::IncomingMessage::Fault::none);
    const auto admitted = relay.admit(message, {"a@x.de-mail.de"});
    const std::string queue_id = "4abc";
    const auto submit = [&] {
        return relay.submitter.submit({std::get<relay::Admitted>(admitted), incoming, account,
                                       relay.evidence, seconds(60), queue_id,
                                       [] { return std::nullopt; }})[0];
    };
    CHECK_EQUAL(submit().enhanced, "4.4.1");
    CHECK(relay.journal->of_hand_over(message.seal.n).empty());
    guarded.now += Breaker::first_rest;
    CHECK_EQUAL(submit().code, 250);
}

} // namespace

int main() {
    return run("breaker", {
                              TEST(several_requests_in_a_row_without_an_answer_make_it_rest),
                              TEST(a_short_time_without_an_answer_is_borne),
                              TEST(an_answer_between_them_starts_the_count_anew),
                              TEST(after_the_rest_one_request_tries),
                              TEST(a_rest_in_vain_is_followed_by_a_longer_one_up_to_a_limit),
                              TEST(a_card_or_a_login_that_fails_is_not_the_providers_silence),
                              TEST(one_that_tried_and_did_not_come_to_ask_lets_another_try),
                              TEST(while_it_rests_de_mails_are_deferred_and_none_becomes_uncertain),
                          });
}
