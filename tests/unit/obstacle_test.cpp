// What is known before a De-Mail goes out keeps it from going: no Submit, the sender hears why.
#include "check.hpp"
#include "relay_fixture.hpp"

using namespace demail;
using namespace demail::test;
using journal::State;
using relay::RecipientLookups;

namespace {

const std::string a = "a@x.de-mail.de", b = "b@x.de-mail.de";
using Entry = soap::DirectoryEntry;

SealedMessage asking_for(const std::vector<Option> &options,
                         const std::vector<std::string> &recipients = {a}) {
    std::string to;
    for (const std::string &one : recipients)
        to += (to.empty() ? "" : ", ") + one;
    SealedMessage message(recipients, to);
    for (const Option one : options)
        message.seal.options.set(one);
    return message;
}

std::string text(const Reply &reply) {
    return std::to_string(reply.code) + " " + reply.enhanced + " " + reply.text;
}

/// The only submission of the message, as the journal has it.
journal::Submission kept(Relay &relay, const SealedMessage &message) {
    auto all = relay.journal->of_hand_over(message.seal.n);
    CHECK_EQUAL(all.size(), std::size_t{1});
    return std::move(all.front());
}

void an_option_without_a_right_is_refused_by_name() {
    Relay relay;
    std::get<soap::Account>(relay.provider->account).rights.set(Option::authoritative, false);
    const SealedMessage message = asking_for({Option::authoritative});
    CHECK_EQUAL(
        text(relay.deliver(message, {a})[0]),
        "550 5.7.1 The De-Mail provider fp does not permit the option authoritative of this "
        "De-Mail, since the account firm has no right to it; send it without the option or "
        "ask the administrator");
    CHECK(relay.provider->submitted.empty());
    CHECK(kept(relay, message).state == State::refused);
    CHECK_EQUAL(text(relay.deliver(message, {a})[0]).substr(0, 9), "550 5.7.1"); // and stays so
}

void an_option_that_needs_level_high_is_refused_below_it() {
    Relay relay;
    std::get<soap::Account>(relay.provider->account).high_level = false;
    CHECK(text(relay.deliver(asking_for({Option::personal}), {a})[0]).find("not at level high") !=
          std::string::npos);
    CHECK_EQUAL(relay.deliver(asking_for({Option::confirmation_of_dispatch}), {a})[0].code, 250);
}

void too_many_bytes_are_refused_with_both_figures() {
    Relay relay;
    std::get<soap::Account>(relay.provider->account).max_message_bytes = 200;
    const std::string reply = text(relay.deliver(asking_for({}), {a})[0]);
    CHECK(reply.starts_with("550 5.3.4 The De-Mail has "));
    CHECK(reply.find("more than the 200 that") != std::string::npos);
    CHECK(relay.provider->submitted.empty());
}

void the_account_is_asked_once_for_many_letters() {
    Relay relay;
    for (int i = 0; i < 5; ++i)
        CHECK_EQUAL(relay.deliver(asking_for({Option::authoritative}), {a})[0].code, 250);
    CHECK_EQUAL(relay.provider->accounts_asked, 1);
}

void a_right_that_the_provider_contradicts_is_asked_for_anew() {
    Relay relay;
    relay.provider->submit_answers.emplace_back(soap::Fault{"option-not-permitted", "", {}});
    CHECK_EQUAL(relay.deliver(asking_for({Option::authoritative}), {a})[0].code, 550);
    CHECK_EQUAL(relay.provider->accounts_asked, 1);
    std::get<soap::Account>(relay.provider->account).rights.set(Option::authoritative, false);
    CHECK_EQUAL(relay.deliver(asking_for({Option::authoritative}), {a})[0].code, 550);
    CHECK_EQUAL(relay.provider->accounts_asked, 2);
    CHECK_EQUAL(relay.provider->submitted.size(), std::size_t{1});
}

void the_directory_is_asked_where_level_high_is() {
    Relay relay;
    CHECK_EQUAL(relay.deliver(asking_for({}), {a})[0].code, 250);
    CHECK(relay.provider->recipients_looked_up.empty());
    CHECK_EQUAL(relay.deliver(asking_for({Option::personal}), {a})[0].code, 250);
    CHECK_EQUAL(relay.deliver(asking_for({Option::personal}), {a})[0].code, 250);
    CHECK_EQUAL(relay.provider->recipients_looked_up.size(), std::size_t{1});
}

void private_to_a_recipient_below_it_is_refused() {
    Relay relay;
    relay.provider->directory.emplace(a, Entry{a, true, false});
    const SealedMessage message = asking_for({Option::personal});
    CHECK_EQUAL(
        text(relay.deliver(message, {a})[0]),
        "550 5.7.1 The recipient has not signed up at the level that this De-Mail asks for; "
        "send it without the option x-de-mail-private");
    CHECK(relay.provider->submitted.empty());
    CHECK(kept(relay, message).state == State::refused);
}

void one_who_does_not_exist_is_asked_for_each_time() {
    Relay relay;
    relay.provider->directory.emplace(a, Entry{a, false, {}});
    CHECK_EQUAL(text(relay.deliver(asking_for({Option::personal}), {a})[0]).substr(0, 9),
                "550 5.1.1");
    relay.provider->directory.clear();
    CHECK_EQUAL(relay.deliver(asking_for({Option::personal}), {a})[0].code, 250);
}

void each_recipient_hears_its_own_reason() {
    Relay relay;
    relay.provider->directory.emplace(a, Entry{a, false, {}});
    relay.provider->directory.emplace(b, Entry{b, true, false});
    const auto replies = relay.deliver(asking_for({Option::personal}, {a, b}), {a, b});
    CHECK_EQUAL(replies[0].enhanced, "5.1.1");
    CHECK_EQUAL(replies[1].enhanced, "5.7.1");
    CHECK(relay.provider->submitted.empty());
}

void where_one_can_have_it_the_provider_says_who_cannot() {
    Relay relay;
    relay.provider->directory.emplace(a, Entry{a, false, {}});
    (void)relay.deliver(asking_for({Option::personal}, {a, b}), {a, b});
    CHECK_EQUAL(relay.provider->submitted.size(), std::size_t{1});
    CHECK_EQUAL(relay.provider->submitted[0].recipients.size(), std::size_t{2});
}

void a_directory_without_an_answer_turns_nobody_away() {
    Relay relay;
    for (const soap::Answer<Entry> &answer :
         {soap::Answer<Entry>(soap::Fault{"invalid-message", "", {}}),
          soap::Answer<Entry>(soap::NoAnswer{"HTTP 404"})}) {
        relay.provider->directory.insert_or_assign(a, answer);
        CHECK_EQUAL(relay.deliver(asking_for({Option::personal}), {a})[0].code, 250);
    }
    CHECK_EQUAL(relay.provider->recipients_looked_up.size(), std::size_t{2});
    // It is left alone for a while after it has not answered.
    CHECK_EQUAL(relay.deliver(asking_for({Option::personal}), {a})[0].code, 250);
    CHECK_EQUAL(relay.provider->recipients_looked_up.size(), std::size_t{2});
}

void what_would_keep_the_submission_too_defers_it() {
    for (const soap::Answer<Entry> &answer :
         {soap::Answer<Entry>(soap::NotSent{"away"}), soap::Answer<Entry>(soap::TokenFault{"away"}),
          soap::Answer<Entry>(soap::Fault{"unavailable", "", {}})}) {
        Relay relay;
        relay.provider->directory.insert_or_assign(a, answer);
        const SealedMessage message = asking_for({Option::personal});
        CHECK_EQUAL(relay.deliver(message, {a})[0].code, 451);
        CHECK(relay.provider->submitted.empty());
        relay.provider->directory.clear();
        CHECK_EQUAL(relay.deliver(message, {a})[0].code, 250);
    }
}

void a_login_that_the_directory_refuses_suspends_the_account() {
    Relay relay;
    relay.provider->directory.emplace(a, soap::Fault{"not-authorised", "", {}});
    CHECK_EQUAL(relay.deliver(asking_for({Option::personal}), {a})[0].enhanced, "4.7.0");
    CHECK(relay.account.suspended().has_value());
}

void an_answer_serves_for_a_minute() {
    auto now = std::chrono::steady_clock::time_point{};
    RecipientLookups lookups([&] { return now; });
    const Address bob = address("bob@x.de-mail.de");
    CHECK(!lookups.known(bob));
    lookups.remember(bob, {"bob@x.de-mail.de", true, true});
    now += std::chrono::seconds(59);
    CHECK(lookups.known(address("BOB@x.de-mail.de")).has_value());
    now += std::chrono::seconds(1);
    CHECK(!lookups.known(bob));
    lookups.remember(bob, {"bob@x.de-mail.de", false, {}});
    CHECK(!lookups.known(bob));
    lookups.rest();
    CHECK(lookups.resting());
    now += std::chrono::seconds(60);
    CHECK(!lookups.resting());
}

} // namespace

int main() {
    return test::run("obstacle", {TEST(an_option_without_a_right_is_refused_by_name),
                                  TEST(an_option_that_needs_level_high_is_refused_below_it),
                                  TEST(too_many_bytes_are_refused_with_both_figures),
                                  TEST(the_account_is_asked_once_for_many_letters),
                                  TEST(a_right_that_the_provider_contradicts_is_asked_for_anew),
                                  TEST(the_directory_is_asked_where_level_high_is),
                                  TEST(private_to_a_recipient_below_it_is_refused),
                                  TEST(one_who_does_not_exist_is_asked_for_each_time),
                                  TEST(each_recipient_hears_its_own_reason),
                                  TEST(where_one_can_have_it_the_provider_says_who_cannot),
                                  TEST(a_directory_without_an_answer_turns_nobody_away),
                                  TEST(what_would_keep_the_submission_too_defers_it),
                                  TEST(a_login_that_the_directory_refuses_suspends_the_account),
                                  TEST(an_answer_serves_for_a_minute)});
}
