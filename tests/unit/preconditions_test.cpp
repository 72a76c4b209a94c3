// What is asked and judged before a De-Mail goes out: the account's level and rights, and the
// recipients; what comes of it for whom; and that none of it makes a second submission.
#include "check.hpp"
#include "message/preconditions.hpp"
#include "relay_fixture.hpp"

using namespace demail;
using namespace demail::test;
using journal::State;

namespace {

const std::string a = "a@x.de-mail.de", b = "b@x.de-mail.de";
constexpr journal::Time minute = 60'000'000;

const soap::KnownRecipient nobody{a, false, std::nullopt};
const soap::KnownRecipient at_level_normal{a, true, false};
const soap::KnownRecipient without_a_level{a, true, std::nullopt};

OptionSet options_of(const std::vector<Option> &all) {
    OptionSet set;
    for (const Option option : all)
        set.set(option);
    return set;
}

std::string refusal(const std::vector<Option> &options, const soap::Account &account,
                    const std::string &sender = "anna@firm.de-mail.de") {
    const auto reply =
        relay::refusal_of_options(options_of(options), address(sender), account, "firm", "fp");
    return reply ? std::to_string(reply->code) + " " + reply->enhanced + " " + reply->text : "";
}

/// A letter from Anna to A and B with these options, and a relay whose account has the right to all
/// of them.
struct Letter {
    explicit Letter(const std::vector<Option> &options = {}, const std::string &to = a + ", " + b)
        : message({a, b}, to) {
        message.seal.options = options_of(options);
        std::get<soap::Account>(relay.provider->account).rights =
            options_of({all_options.begin(), all_options.end()});
    }
    std::vector<Reply> deliver() { return relay.deliver(message, {a, b}); }
    std::vector<journal::Submission> known() { return relay.journal->of_hand_over(message.seal.n); }
    std::vector<std::string> &look_ups() { return relay.provider->recipients_looked_up; }
    std::vector<soap::Submission> &submitted() { return relay.provider->submitted; }

    Relay relay;
    SealedMessage message;
};

void an_option_needs_the_accounts_level_and_right() {
    soap::Account account{"Firm", true, {}, options_of({Option::personal}), 0};
    CHECK_EQUAL(refusal({Option::personal}, account), "");
    CHECK_EQUAL(refusal({Option::personal, Option::authoritative}, account),
                "550 5.7.1 The De-Mail provider fp does not permit the option authoritative "
                "(Absenderbestaetigt) to the De-Mail account firm; send it without the option or "
                "ask the administrator");
    account.high_level = false;
    CHECK_EQUAL(refusal({Option::personal}, account),
                "550 5.7.1 The De-Mail option private (Persoenlich) needs a sender at level high, "
                "and the De-Mail account firm is not; send it without the option or ask the "
                "administrator");
    account.rights = options_of({Option::confirmation_of_dispatch});
    CHECK_EQUAL(refusal({Option::confirmation_of_dispatch}, account), "");
}

void combinations_are_judged_here_too() {
    const soap::Account account{
        "Firm", true, {}, options_of({all_options.begin(), all_options.end()}), 0};
    CHECK(refusal({Option::confirmation_of_retrieve}, account).find("Persoenlich") !=
          std::string::npos);
    CHECK_EQUAL(refusal({Option::confirmation_of_retrieve, Option::personal}, account), "");
    CHECK(refusal({Option::authoritative}, account, "pn_x@firm.de-mail.de").find("pseudonym") !=
          std::string::npos);
}

void an_option_that_is_not_permitted_is_refused_before_a_byte_goes_out() {
    Letter letter({Option::authoritative});
    std::get<soap::Account>(letter.relay.provider->account).rights = {};
    const auto replies = letter.deliver();
    CHECK_EQUAL(replies[0].enhanced, "5.7.1");
    CHECK(replies[0] == replies[1]);
    CHECK(letter.submitted().empty());
    CHECK(letter.look_ups().empty()); // which would cost a signature each
    CHECK(letter.known()[0].state == State::refused);
}

void an_unknown_recipient_is_refused_alone() {
    Letter letter;
    letter.relay.provider->recipients.emplace(a, nobody);
    const auto replies = letter.deliver();
    CHECK_EQUAL(replies[0].enhanced, "5.1.1");
    CHECK_EQUAL(replies[1].code, 250);
    CHECK_EQUAL(letter.submitted().size(), 1U);
    CHECK_EQUAL(letter.submitted()[0].recipients.size(), 1U);
    CHECK(letter.submitted()[0].content.header.find("chosen-recipient: to=" + b + "\r\n") !=
          std::string::npos);
    CHECK(letter.deliver() == replies); // Postfix has not heard it and comes again
    CHECK_EQUAL(letter.submitted().size(), 1U);
}

void where_no_recipient_is_known_nothing_goes_out() {
    Letter letter;
    letter.relay.provider->recipients.emplace(a, nobody);
    letter.relay.provider->recipients.emplace(b, nobody);
    const auto replies = letter.deliver();
    CHECK_EQUAL(replies[0].enhanced + replies[1].enhanced, "5.1.15.1.1");
    CHECK(letter.submitted().empty());
    CHECK(letter.known()[0].state == State::refused);
}

void a_private_letter_needs_a_recipient_at_level_high() {
    Letter letter({Option::personal});
    letter.relay.provider->recipients.emplace(a, at_level_normal);
    letter.relay.provider->recipients.emplace(b, without_a_level);
    const auto replies = letter.deliver();
    CHECK_EQUAL(replies[0].text,
                "The De-Mail option private (Persoenlich) needs a recipient at level high, and "
                "a@x.de-mail.de is not; send it to this recipient without the option");
    CHECK_EQUAL(replies[0].enhanced, "5.7.1");
    CHECK_EQUAL(replies[1].code, 250);

    Letter ordinary;
    ordinary.relay.provider->recipients.emplace(a, at_level_normal);
    CHECK_EQUAL(ordinary.deliver()[0].code, 250);
}

void a_look_up_without_an_answer_makes_the_letter_wait_and_not_uncertain() {
    for (const soap::Answer<soap::KnownRecipient> &answer :
         {soap::Answer<soap::KnownRecipient>(soap::NoAnswer{"cut"}),
          soap::Answer<soap::KnownRecipient>(soap::NotSent{"away", false})}) {
        Letter letter;
        letter.relay.provider->recipients.emplace(a, nobody);
        letter.relay.provider->recipients.emplace(b, answer);
        auto replies = letter.deliver();
        CHECK_EQUAL(replies[0].enhanced + replies[1].enhanced, "4.4.14.4.1");
        CHECK(letter.known().empty());
        CHECK(letter.submitted().empty());
        letter.relay.provider->recipients.erase(b);
        replies = letter.deliver();
        CHECK_EQUAL(replies[0].enhanced + replies[1].enhanced, "5.1.12.0.0");
        CHECK_EQUAL(letter.submitted().size(), 1U);
    }
}

void faults_of_a_look_up_count_as_those_of_a_submission() {
    const auto first_reply = [](const soap::Fault &fault) {
        Letter letter;
        letter.relay.provider->recipients.emplace(a, fault);
        return letter.deliver()[0].enhanced;
    };
    CHECK_EQUAL(first_reply({"unknown-recipient", "", {}}), "5.1.1");
    CHECK_EQUAL(first_reply({"unavailable", "", {}}), "4.3.2");
    CHECK_EQUAL(first_reply({"not-authorised", "", {}}), "4.7.0");
    // A provider without look-ups: the De-Mail's own answer says what is wrong.
    CHECK_EQUAL(first_reply({"invalid-message", "", {}}), "2.0.0");
}

void a_good_answer_serves_for_a_while_and_a_bad_one_does_not() {
    Relay relay;
    const auto send = [&] {
        SealedMessage message({a});
        return relay.deliver(message, {a})[0].enhanced;
    };
    relay.provider->recipients.emplace(a, nobody);
    CHECK_EQUAL(send(), "5.1.1");
    relay.provider->recipients.clear();
    CHECK_EQUAL(send(), "2.0.0");
    relay.provider->recipients.emplace(a, nobody);
    CHECK_EQUAL(send(), "2.0.0");
    CHECK_EQUAL(relay.provider->recipients_looked_up.size(), 2U);
}

void what_may_have_gone_out_is_not_judged_again() {
    Letter letter;
    letter.relay.provider->submit_answers = {soap::NoAnswer{"cut"}};
    CHECK_EQUAL(letter.deliver()[0].enhanced, "4.4.2");
    const std::size_t asked = letter.look_ups().size();
    letter.relay.provider->recipients.emplace(a, nobody);
    letter.relay.provider->find_answers = {soap::Found{}, soap::Found{}};
    letter.relay.now += minute;
    CHECK_EQUAL(letter.deliver()[0].enhanced, "4.4.2");
    letter.relay.now += 2 * minute;
    CHECK_EQUAL(letter.deliver()[0].code, 250);
    CHECK_EQUAL(letter.look_ups().size(), asked);
    CHECK_EQUAL(letter.submitted().size(), 2U);
    CHECK_EQUAL(letter.submitted()[1].recipients.size(), 2U);
}

void who_was_left_out_stays_out_whatever_becomes_of_the_rest() {
    Letter letter;
    letter.relay.provider->recipients.emplace(a, nobody);
    letter.relay.provider->submit_answers = {soap::NoAnswer{"cut"}};
    auto replies = letter.deliver();
    CHECK_EQUAL(replies[0].enhanced + replies[1].enhanced, "5.1.14.4.2");
    soap::Found found;
    found.state = soap::Found::State::accepted;
    found.message_id = "<1@fp>";
    letter.relay.provider->find_answers = {found};
    replies = letter.deliver();
    CHECK_EQUAL(replies[0].enhanced + replies[1].enhanced, "5.1.12.0.0");
    CHECK_EQUAL(letter.submitted().size(), 1U);
}

void a_deferred_letter_goes_out_without_those_who_were_left_out() {
    Letter letter;
    letter.relay.provider->recipients.emplace(a, nobody);
    letter.relay.provider->submit_answers = {soap::NotSent{"away", false}};
    auto replies = letter.deliver();
    CHECK_EQUAL(replies[0].enhanced + replies[1].enhanced, "5.1.14.4.1");
    letter.relay.provider->recipients.clear();
    CHECK_EQUAL(letter.relay.deliver(letter.message, {b})[0].code, 250); // A has bounced
    CHECK_EQUAL(letter.submitted().back().recipients.size(), 1U);
    CHECK_EQUAL(letter.known()[0].recipients.size(), 2U);
    CHECK_EQUAL(letter.deliver()[0].enhanced, "5.1.1");
}

void too_many_recipients_are_not_looked_up() {
    Relay relay;
    std::vector<std::string> many;
    std::string to;
    for (int i = 0; i < 101; ++i) {
        many.push_back("r" + std::to_string(i) + "@x.de-mail.de");
        to += (i == 0 ? "" : ", ") + many.back();
    }
    SealedMessage message(many, to);
    CHECK_EQUAL(relay.deliver(message, many)[0].code, 250);
    CHECK(relay.provider->recipients_looked_up.empty());
}

} // namespace

int main() {
    return run("preconditions",
               {TEST(an_option_needs_the_accounts_level_and_right),
                TEST(combinations_are_judged_here_too),
                TEST(an_option_that_is_not_permitted_is_refused_before_a_byte_goes_out),
                TEST(an_unknown_recipient_is_refused_alone),
                TEST(where_no_recipient_is_known_nothing_goes_out),
                TEST(a_private_letter_needs_a_recipient_at_level_high),
                TEST(a_look_up_without_an_answer_makes_the_letter_wait_and_not_uncertain),
                TEST(faults_of_a_look_up_count_as_those_of_a_submission),
                TEST(a_good_answer_serves_for_a_while_and_a_bad_one_does_not),
                TEST(what_may_have_gone_out_is_not_judged_again),
                TEST(who_was_left_out_stays_out_whatever_becomes_of_the_rest),
                TEST(a_deferred_letter_goes_out_without_those_who_were_left_out),
                TEST(too_many_recipients_are_not_looked_up)});
}
