// The life of a submission: nothing lost, nothing twice, whatever the provider says or does not
// say.
#include "check.hpp"
#include "relay_fixture.hpp"

#include <signal.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <iterator>

using namespace demail;
using namespace demail::test;
using journal::State;

namespace {

const std::string a = "a@x.de-mail.de", b = "b@x.de-mail.de", c = "c@x.de-mail.de";
constexpr journal::Time minute = 60'000'000;

void to_and_cc_are_one_submission_and_each_bcc_its_own() {
    Relay relay;
    SealedMessage message({a, b, c}, a);
    const auto replies = relay.deliver(message, {a, b, c});
    CHECK_EQUAL(relay.provider->submitted.size(), 3U);
    for (const auto &one : relay.provider->submitted) {
        CHECK_EQUAL(one.recipients.size(), 1U);
        const bool names_b = one.content.header.find(b) != std::string::npos;
        CHECK_EQUAL(names_b, one.recipients[0].address.str() == b);
    }
    CHECK_EQUAL(replies.size(), 3U);
    CHECK_EQUAL(replies[0].text, "Accepted by the De-Mail provider fp as <1@fp>");
}

void a_retry_gets_the_outcome_of_its_submission() {
    Relay relay;
    SealedMessage message({a, b}, a + ", " + b);
    const auto first = relay.deliver(message, {a, b});
    const auto retry = relay.deliver(message, {b});
    CHECK_EQUAL(relay.provider->submitted.size(), 1U);
    CHECK(retry[0] == first[1]);
}

void another_subset_is_a_submission_of_its_own() {
    Relay relay;
    SealedMessage message({a, b}, a + ", " + b);
    (void)relay.deliver(message, {a});
    (void)relay.deliver(message, {a, b});
    CHECK_EQUAL(relay.provider->submitted.size(), 2U);
    CHECK_EQUAL(relay.provider->submitted[1].recipients.size(), 1U);
    CHECK_EQUAL(relay.provider->submitted[1].recipients[0].address.str(), b);
    CHECK(relay.provider->submitted[0].private_id != relay.provider->submitted[1].private_id);
}

void the_same_seal_with_another_content_is_refused() {
    Relay relay;
    SealedMessage message({a});
    (void)relay.deliver(message, {a});
    message.body = "Other\r\n";
    message.seal.body = sha256(message.body); // as only a holder of the key could
    const auto reply = relay.deliver(message, {a});
    CHECK_EQUAL(reply[0].enhanced, "5.7.7");
    CHECK_EQUAL(relay.provider->submitted.size(), 1U);
}

void no_answer_is_looked_up_and_not_sent_again() {
    Relay relay;
    SealedMessage message({a});
    relay.provider->submit_answers = {soap::NoAnswer{"cut"}};
    relay.provider->find_answers = {
        soap::Found{soap::Found::State::accepted, "", "<9@fp>", "", ""}};
    CHECK_EQUAL(relay.deliver(message, {a})[0].enhanced, "4.4.2");
    const auto reply = relay.deliver(message, {a});
    CHECK_EQUAL(reply[0].code, 250);
    CHECK(reply[0].text.find("<9@fp>") != std::string::npos);
    CHECK_EQUAL(relay.provider->submitted.size(), 1U);
    CHECK_EQUAL(relay.provider->looked_up[0], relay.provider->submitted[0].private_id.str());
}

void unknown_twice_a_minute_apart_is_sent_again_with_the_same_private_id() {
    Relay relay;
    SealedMessage message({a});
    const soap::Found unknown{soap::Found::State::unknown, "", "", "", ""};
    relay.provider->submit_answers = {soap::NoAnswer{"cut"}};
    relay.provider->find_answers = {unknown, unknown, unknown};
    (void)relay.deliver(message, {a});
    CHECK_EQUAL(relay.deliver(message, {a})[0].enhanced, "4.4.2");
    relay.now += minute / 2;
    CHECK_EQUAL(relay.deliver(message, {a})[0].enhanced, "4.4.2");
    CHECK_EQUAL(relay.provider->submitted.size(), 1U);
    relay.now += minute / 2;
    CHECK_EQUAL(relay.deliver(message, {a})[0].code, 250);
    CHECK_EQUAL(relay.provider->submitted.size(), 2U);
    CHECK(relay.provider->submitted[0].private_id == relay.provider->submitted[1].private_id);
}

void an_uncertain_one_keeps_its_recipients() {
    Relay relay;
    SealedMessage message({a, b}, a + ", " + b);
    const soap::Found unknown{soap::Found::State::unknown, "", "", "", ""};
    relay.provider->submit_answers = {soap::NoAnswer{"cut"}};
    relay.provider->find_answers = {unknown, unknown};
    (void)relay.deliver(message, {a, b});
    (void)relay.deliver(message, {b});
    relay.now += minute;
    (void)relay.deliver(message, {b});
    CHECK_EQUAL(relay.provider->submitted[1].recipients.size(), 2U);
    CHECK_EQUAL(relay.deliver(message, {a})[0].code, 250);
    CHECK_EQUAL(relay.provider->submitted.size(), 2U);
}

void a_deferred_one_goes_out_again_to_those_who_are_there() {
    Relay relay;
    SealedMessage message({a, b}, a + ", " + b);
    relay.provider->submit_answers = {soap::NotSent{"connection refused", false}};
    CHECK_EQUAL(relay.deliver(message, {a, b})[0].enhanced, "4.4.1");
    CHECK_EQUAL(relay.deliver(message, {a})[0].code, 250);
    CHECK_EQUAL(relay.provider->submitted[1].recipients.size(), 1U);
    CHECK_EQUAL(relay.deliver(message, {b})[0].code, 250);
    CHECK_EQUAL(relay.provider->submitted.size(), 3U);
    CHECK_EQUAL(relay.provider->submitted[2].recipients[0].address.str(), b);
}

void the_provider_is_not_asked_before_the_time_it_named() {
    Relay relay;
    SealedMessage message({a});
    relay.provider->submit_answers = {soap::Fault{"daily-limit", "enough", 600}};
    CHECK_EQUAL(relay.deliver(message, {a})[0].enhanced, "4.3.2");
    CHECK_EQUAL(relay.deliver(message, {a})[0].enhanced, "4.3.2");
    CHECK_EQUAL(relay.provider->submitted.size(), 1U);
    relay.now += 10 * minute;
    CHECK_EQUAL(relay.deliver(message, {a})[0].code, 250);
}

void a_refused_login_suspends_until_a_person_acts() {
    Relay relay;
    SealedMessage one({a}), other({a});
    relay.provider->submit_answers = {soap::Fault{"not-authorised", "", {}}};
    CHECK_EQUAL(relay.deliver(one, {a})[0].enhanced, "4.7.0");
    CHECK_EQUAL(relay.deliver(other, {a})[0].enhanced, "4.7.0");
    CHECK_EQUAL(relay.provider->submitted.size(), 1U);
    relay.account.resume();
    CHECK_EQUAL(relay.deliver(other, {a})[0].code, 250);
}

void a_private_id_in_use_is_looked_up_at_once() {
    Relay relay;
    SealedMessage message({a});
    relay.provider->submit_answers = {soap::Fault{"private-id-in-use", "", {}}};
    relay.provider->find_answers = {
        soap::Found{soap::Found::State::accepted, "", "<7@fp>", "", ""}};
    CHECK_EQUAL(relay.deliver(message, {a})[0].text,
                "Accepted by the De-Mail provider fp as <7@fp>");
}

void a_rejected_recipient_has_a_reply_of_its_own() {
    Relay relay;
    SealedMessage message({a, b}, a + ", " + b);
    relay.provider->submit_answers = {
        soap::Submitted{"", "<1@fp>", "", {{b, "unknown-recipient", "no such mailbox"}}}};
    const auto replies = relay.deliver(message, {b, a});
    CHECK_EQUAL(replies[0].enhanced, "5.1.1");
    CHECK(replies[0].text.find("no such mailbox") != std::string::npos);
    CHECK_EQUAL(replies[1].code, 250);
    CHECK(relay.deliver(message, {b})[0] == replies[0]);
}

void a_look_up_says_who_was_rejected() {
    Relay relay;
    SealedMessage message({a, b}, a + ", " + b);
    relay.provider->submit_answers = {soap::NoAnswer{"cut"}};
    relay.provider->find_answers = {soap::Found{soap::Found::State::accepted,
                                                "",
                                                "<1@fp>",
                                                "",
                                                "",
                                                {{b, "unknown-recipient", "no such mailbox"}}}};
    (void)relay.deliver(message, {a, b});
    const auto replies = relay.deliver(message, {a, b});
    CHECK_EQUAL(replies[0].code, 250);
    CHECK_EQUAL(replies[1].enhanced, "5.1.1");
    CHECK(relay.deliver(message, {b})[0] == replies[1]);
}

void a_message_over_the_limit_is_refused_before_a_byte_goes_out() {
    Relay relay;
    SealedMessage message({a});
    message.body = std::string(100000, 'x') + "\r\n";
    message.seal.body = sha256(message.body);
    CHECK_EQUAL(relay.deliver(message, {a})[0].enhanced, "5.3.4");
    CHECK(relay.provider->submitted.empty());
}

void what_a_restart_cut_off_is_looked_up() {
    Relay relay;
    SealedMessage message({a});
    relay.provider->submit_answers = {soap::NoAnswer{"the relay died here"}};
    (void)relay.deliver(message, {a});
    (void)relay.journal->settle_interrupted(relay.now, 100);
    relay.provider->find_answers = {
        soap::Found{soap::Found::State::refused, "", "", "", "no such mailbox"}};
    const auto reply = relay.deliver(message, {a});
    CHECK_EQUAL(reply[0].code, 550);
    CHECK_EQUAL(relay.provider->submitted.size(), 1U);
}

void a_card_that_is_locked_defers() {
    Relay relay;
    SealedMessage message({a});
    relay.provider->submit_answers = {soap::TokenFault{"locked"}};
    CHECK_EQUAL(relay.deliver(message, {a})[0].enhanced, "4.3.0");
    CHECK_EQUAL(relay.deliver(message, {a})[0].code, 250);
}

void a_journal_that_cannot_be_written_sends_nothing() {
    Relay relay;
    SealedMessage message({a});
    relay::IncomingMessage incoming(relay.directory.path());
    incoming.receive(message.text());
    CHECK(incoming.complete() == relay::IncomingMessage::Fault::none);
    const auto admitted = relay.admit(message, {a});
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{100, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small); // what a full disk does to SQLite
    const auto replies = relay.submit(std::get<relay::Admitted>(admitted), incoming);
    ::setrlimit(RLIMIT_FSIZE, &before);
    CHECK_EQUAL(replies[0].enhanced, "4.3.1");
    CHECK(relay.provider->submitted.empty());
    CHECK_EQUAL(relay.deliver(message, {a})[0].code, 250);
}

std::string evidence_of(const Relay &relay, const std::string &file) {
    const auto digits = relay.provider->submitted.at(0).private_id.digits();
    std::ifstream in(relay.evidence.root() + "/1970/01/" + std::string(digits) + "/" + file);
    return {std::istreambuf_iterator<char>(in), {}};
}

void what_went_out_and_came_back_is_kept() {
    Relay relay;
    SealedMessage message({a});
    (void)relay.deliver(message, {a});
    CHECK_EQUAL(evidence_of(relay, "received.eml"), message.text());
    CHECK_EQUAL(evidence_of(relay, "submitted.eml"),
                relay.provider->submitted[0].content.header + message.body);
    CHECK_EQUAL(evidence_of(relay, "request.xml"), "<Submit/>");
    CHECK_EQUAL(evidence_of(relay, "reply.xml"), "<Submitted/>");
    CHECK(evidence_of(relay, "attempts.jsonl").find("\"accepted\"") != std::string::npos);
}

void what_a_look_up_says_is_kept_beside() {
    Relay relay;
    SealedMessage message({a});
    relay.provider->submit_answers = {soap::NoAnswer{"cut"}};
    relay.provider->find_answers = {
        soap::Found{soap::Found::State::accepted, "", "<9@fp>", "", ""}};
    (void)relay.deliver(message, {a});
    (void)relay.deliver(message, {a});
    CHECK_EQUAL(evidence_of(relay, "request-2.xml"), "<FindSubmission/>");
}

void what_cannot_be_kept_is_not_sent() {
    Relay relay;
    SealedMessage message({a});
    const std::string in_the_way = relay.evidence.root() + "/1970";
    std::ofstream{in_the_way} << "a file where a directory belongs";
    const auto reply = relay.deliver(message, {a});
    CHECK_EQUAL(reply[0].enhanced, "4.3.1");
    CHECK(relay.provider->submitted.empty());
    std::filesystem::remove(in_the_way);
    CHECK_EQUAL(relay.deliver(message, {a})[0].code, 250);
    CHECK_EQUAL(relay.provider->submitted.size(), 1U);
}

void the_users_own_private_id_is_kept() {
    Relay relay;
    SealedMessage message({a});
    message.fields.push_back({"X-De-Mail-Private-ID", " Az 12/26"});
    (void)relay.deliver(message, {a});
    CHECK(relay.provider->submitted[0].private_id.str().ends_with(";Az 12/26"));
}

} // namespace

int main() {
    return run("submitter",
               {
                   TEST(to_and_cc_are_one_submission_and_each_bcc_its_own),
                   TEST(a_retry_gets_the_outcome_of_its_submission),
                   TEST(another_subset_is_a_submission_of_its_own),
                   TEST(the_same_seal_with_another_content_is_refused),
                   TEST(no_answer_is_looked_up_and_not_sent_again),
                   TEST(unknown_twice_a_minute_apart_is_sent_again_with_the_same_private_id),
                   TEST(an_uncertain_one_keeps_its_recipients),
                   TEST(a_deferred_one_goes_out_again_to_those_who_are_there),
                   TEST(the_provider_is_not_asked_before_the_time_it_named),
                   TEST(a_refused_login_suspends_until_a_person_acts),
                   TEST(a_private_id_in_use_is_looked_up_at_once),
                   TEST(a_rejected_recipient_has_a_reply_of_its_own),
                   TEST(a_look_up_says_who_was_rejected),
                   TEST(a_message_over_the_limit_is_refused_before_a_byte_goes_out),
                   TEST(what_a_restart_cut_off_is_looked_up),
                   TEST(a_card_that_is_locked_defers),
                   TEST(a_journal_that_cannot_be_written_sends_nothing),
                   TEST(what_went_out_and_came_back_is_kept),
                   TEST(what_a_look_up_says_is_kept_beside),
                   TEST(what_cannot_be_kept_is_not_sent),
                   TEST(the_users_own_private_id_is_kept),
               });
}
