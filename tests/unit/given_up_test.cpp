// Postfix has given a De-Mail up while nobody knew whether it went out: it is looked up all the
// same, and the sender is told what is true.
#include "check.hpp"
#include "relay/given_up.hpp"
#include "relay/sender_notice.hpp"
#include "relay_fixture.hpp"

#include <stdexcept>

using namespace demail;
using namespace demail::test;
using journal::State;

namespace {

const std::string a = "a@x.de-mail.de";
constexpr journal::Time minute = 60'000'000, day = 24 * 60 * minute;
const soap::Found unknown{soap::Found::State::unknown, "", "", "", ""};

struct Watched {
    Relay relay;
    SealedMessage message{{a}};
    bool postfix_is_down = false;
    std::vector<std::pair<std::string, std::string>> mails;
    relay::GivenUp given_up{
        *relay.journal, [this] { return relay.now; },
        [this](const relay::Settings &, const std::string &recipient, const std::string &text) {
            if (postfix_is_down) throw std::runtime_error("nobody listens");
            mails.emplace_back(recipient, text);
        }};

    explicit Watched(const soap::Answer<soap::Submitted> &answer = soap::NoAnswer{"cut"}) {
        relay.provider->submit_answers = {answer};
        (void)relay.deliver(message, {a});
    }
    void look_after(journal::Time time) {
        relay.now += time;
        given_up.look(relay.settings());
    }
    State state() { return relay.journal->of_hand_over(message.seal.n).at(0).state; }
};

void while_postfix_tries_nothing_is_done() {
    Watched watched;
    watched.look_after(5 * day);
    CHECK(watched.state() == State::uncertain);
    CHECK(watched.relay.provider->looked_up.empty());
}

void one_that_was_accepted_after_all_is_told_so() {
    Watched watched;
    watched.relay.provider->find_answers = {
        soap::Found{soap::Found::State::accepted, "", "<9@fp>", "", ""}};
    watched.look_after(6 * day);
    CHECK(watched.state() == State::accepted);
    CHECK_EQUAL(watched.mails.size(), 1U);
    const auto &[recipient, text] = watched.mails[0];
    CHECK_EQUAL(recipient, "anna@firm.example");
    CHECK(text.find("Do not send it again") != std::string::npos);
    CHECK(text.find("\r\nIn-Reply-To: <1@firm.example>\r\n") != std::string::npos);
    CHECK(text.find(a) != std::string::npos);
    CHECK(text.find("<9@fp>") != std::string::npos);
    CHECK(text.find("Test") == std::string::npos); // the subject
    watched.look_after(day);
    CHECK_EQUAL(watched.mails.size(), 1U);
}

void one_that_was_refused_is_told_why() {
    Watched watched;
    watched.relay.provider->find_answers = {
        soap::Found{soap::Found::State::refused, "", "", "", "no such mailbox"}};
    watched.look_after(6 * day);
    CHECK(watched.state() == State::refused);
    CHECK(watched.mails.at(0).second.find("no such mailbox") != std::string::npos);
}

void one_that_the_provider_does_not_know_was_not_sent() {
    Watched watched;
    watched.relay.provider->find_answers = {unknown, unknown, unknown};
    watched.look_after(6 * day);
    CHECK(watched.mails.empty());
    CHECK(watched.state() == State::abandoned);
    watched.look_after(60 * minute);
    CHECK_EQUAL(watched.mails.size(), 1U);
    CHECK(watched.mails[0].second.find("was not sent") != std::string::npos);
    CHECK(watched.state() == State::abandoned);
    watched.look_after(60 * minute);
    CHECK_EQUAL(watched.mails.size(), 1U);
    CHECK_EQUAL(watched.relay.provider->looked_up.size(), 2U);
    CHECK_EQUAL(watched.relay.provider->submitted.size(), 1U);
}

void what_is_given_up_is_not_sent_any_more() {
    Watched watched;
    watched.relay.provider->find_answers = {unknown, unknown};
    watched.look_after(6 * day);
    watched.look_after(60 * minute);
    watched.relay.now -= 6 * day; // the seal would be too old
    const auto reply = watched.relay.deliver(watched.message, {a});
    CHECK_EQUAL(reply[0].enhanced, "5.4.7");
    CHECK_EQUAL(watched.relay.provider->submitted.size(), 1U);
}

void as_long_as_the_provider_is_away_it_is_asked_now_and_then() {
    Watched watched;
    watched.look_after(6 * day);
    watched.look_after(minute);
    CHECK_EQUAL(watched.relay.provider->looked_up.size(), 1U);
    watched.look_after(10 * minute);
    CHECK_EQUAL(watched.relay.provider->looked_up.size(), 2U);
    CHECK(watched.state() == State::abandoned);
    CHECK(watched.mails.empty());
}

void one_whose_sender_cannot_be_told_is_not_settled() {
    Watched watched;
    const soap::Found accepted{soap::Found::State::accepted, "", "<9@fp>", "", ""};
    watched.relay.provider->find_answers = {accepted, accepted};
    watched.postfix_is_down = true;
    watched.look_after(6 * day);
    CHECK(watched.state() == State::abandoned);
    watched.postfix_is_down = false;
    watched.look_after(11 * minute);
    CHECK(watched.state() == State::accepted);
    CHECK_EQUAL(watched.mails.size(), 1U);
}

void one_that_was_never_sent_needs_no_word_beside_the_bounce() {
    Watched watched(soap::NotSent{"connection refused", false});
    watched.look_after(6 * day);
    CHECK(watched.state() == State::abandoned);
    CHECK(watched.mails.empty());
    CHECK(watched.relay.provider->looked_up.empty());
    watched.look_after(6 * day);
    CHECK(watched.relay.provider->looked_up.empty());
}

void a_senders_own_words_make_no_field() {
    Watched watched;
    journal::HandOver hand_over;
    hand_over.envelope_sender = "anna@firm.example";
    hand_over.mail_id = "<x>\r\nBcc: eve@x.example";
    auto submission = watched.relay.journal->of_hand_over(watched.message.seal.n).at(0);
    const std::string text = relay::sender_notice(hand_over, submission, "mail.example", 0);
    CHECK(text.find("eve@") == std::string::npos);
    CHECK(text.find("Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n") != std::string::npos);
}

} // namespace

int main() {
    return run("given_up", {
                               TEST(while_postfix_tries_nothing_is_done),
                               TEST(one_that_was_accepted_after_all_is_told_so),
                               TEST(one_that_was_refused_is_told_why),
                               TEST(one_that_the_provider_does_not_know_was_not_sent),
                               TEST(what_is_given_up_is_not_sent_any_more),
                               TEST(as_long_as_the_provider_is_away_it_is_asked_now_and_then),
                               TEST(one_whose_sender_cannot_be_told_is_not_settled),
                               TEST(one_that_was_never_sent_needs_no_word_beside_the_bounce),
                               TEST(a_senders_own_words_make_no_field),
                           });
}
