// No seal, no submission: what the relay lets through and what it answers to the rest.
#include "check.hpp"
#include "relay/service.hpp"
#include "relay_fixture.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace demail;
using namespace demail::test;

namespace {

const std::string a = "a@x.de-mail.de", b = "b@x.de-mail.de";

std::string refused(const std::variant<relay::Admitted, Reply> &result) {
    if (const auto *reply = std::get_if<Reply>(&result)) return reply->enhanced;
    const auto &barred = std::get<relay::Admitted>(result).barred;
    return barred ? "barred " + barred->enhanced : "admitted";
}

std::variant<relay::Admitted, Reply> admit_fields(const Relay &relay, const HeaderFields &fields,
                                                  const std::string &body) {
    return relay::admit({relay.keys, relay.rules, std::chrono::seconds(86400)}, fields,
                        sha256(body), {a}, relay.now / 1'000'000);
}

void a_sealed_message_is_admitted() {
    Relay relay;
    const auto result = relay.admit(SealedMessage({a}), {a});
    const auto &admitted = std::get<relay::Admitted>(result);
    CHECK_EQUAL(admitted.recipients.size(), 1U);
    CHECK_EQUAL(admitted.right.sender.str(), "anna@firm.de-mail.de");
}

void no_seal_and_two_seals_are_refused() {
    Relay relay;
    const SealedMessage message({a});
    CHECK_EQUAL(refused(admit_fields(relay, message.fields, message.body)), "5.7.0");
    auto two = message.with_seal();
    two.push_back(two.front());
    CHECK_EQUAL(refused(admit_fields(relay, two, message.body)), "5.7.0");
}

void a_changed_body_or_field_is_refused() {
    Relay relay;
    const SealedMessage message({a});
    CHECK_EQUAL(refused(admit_fields(relay, message.with_seal(), "Hellp\r\n")), "5.7.7");
    auto fields = message.with_seal();
    fields[3].value = " Other";
    CHECK_EQUAL(refused(admit_fields(relay, fields, message.body)), "5.7.7");
    fields = message.with_seal();
    fields.push_back({"Reply-To", " mallory@firm.example"});
    CHECK_EQUAL(refused(admit_fields(relay, fields, message.body)), "5.7.7");
}

void a_recipient_that_was_not_sealed_is_refused_and_the_others_go() {
    Relay relay;
    const auto result = relay.admit(SealedMessage({a}), {b, a});
    const auto &admitted = std::get<relay::Admitted>(result);
    CHECK_EQUAL(admitted.recipients.size(), 1U);
    CHECK_EQUAL(admitted.recipients[0].place, 1U);
    CHECK_EQUAL(admitted.refused[0].reply.enhanced, "5.7.0");
}

void time_decides() {
    Relay relay;
    const std::int64_t now = relay.now / 1'000'000;
    CHECK_EQUAL(refused(relay.admit(SealedMessage({a}, a, now - 86401), {a})), "5.7.0");
    CHECK_EQUAL(refused(relay.admit(SealedMessage({a}, a, now - 86400), {a})), "admitted");
    CHECK_EQUAL(refused(relay.admit(SealedMessage({a}, a, now + 301), {a})), "4.7.0");
    CHECK_EQUAL(refused(relay.admit(SealedMessage({a}, a, now + 300), {a})), "admitted");
}

void an_unknown_key_waits_and_a_forged_seal_does_not() {
    Relay relay;
    SealedMessage message({a});
    message.key = SealKey("k2", std::string(32, 'z'));
    CHECK_EQUAL(refused(relay.admit(message, {a})), "4.7.0");
    message.key = SealKey("k1", std::string(32, 'z'));
    CHECK_EQUAL(refused(relay.admit(message, {a})), "5.7.0");
}

void a_right_that_was_taken_away_counts_for_mail_in_the_queue() {
    Relay relay;
    relay.rules = SenderRules{};
    CHECK_EQUAL(refused(relay.admit(SealedMessage({a}), {a})), "barred 5.7.1");
    relay.rules = SenderRules{std::vector<AccountRules>{{"firm", nullptr, true, nullptr}}};
    CHECK_EQUAL(refused(relay.admit(SealedMessage({a}), {a})), "barred 4.3.0");
}

void a_domain_that_has_ended_or_that_dns_alone_names_is_refused_at_rcpt() {
    Relay relay;
    relay::Service service(std::make_shared<const relay::Settings>(relay::Settings{
                               std::make_shared<const Configuration>(),
                               relay.keys,
                               {},
                               std::make_shared<relay::Spool>(relay.directory.path()),
                               relay.evidence}),
                           relay.submitter);
    auto domains = std::make_shared<DomainSet>();
    domains->set("old.example", DomainState::ended);
    domains->set("town.example", DomainState::hinted);
    service.replace_domains(domains);
    CHECK_EQUAL(service.recipient({}, "a@old.example")->enhanced, "5.1.2");
    CHECK(*service.recipient({}, "a@town.example") == refusal_of_hinted());
    CHECK(!service.recipient({}, "a@x.de-mail.de"));
}

void the_header_ends_at_the_first_empty_line_wherever_chunks_end() {
    Relay relay;
    const std::string text = SealedMessage({a}).text();
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        relay::IncomingMessage message(relay.directory.path());
        message.receive(std::string_view(text).substr(0, cut));
        message.receive(std::string_view(text).substr(cut));
        CHECK(message.complete() == relay::IncomingMessage::Fault::none);
        CHECK_EQUAL(message.fields().size(), 6U);
        CHECK_EQUAL(message.body().length, 7U);
        CHECK(message.body_digest() == sha256("Hello\r\n"));
    }
}

void a_message_without_header_or_body_is_taken_as_it_is() {
    Relay relay;
    relay::IncomingMessage only_body(relay.directory.path());
    only_body.receive("\r\nbody\r\n");
    CHECK(only_body.complete() == relay::IncomingMessage::Fault::none);
    CHECK(only_body.fields().empty());
    CHECK_EQUAL(only_body.body().length, 6U);
    relay::IncomingMessage only_header(relay.directory.path());
    only_header.receive("Subject: x\r\n");
    CHECK(only_header.complete() == relay::IncomingMessage::Fault::none);
    CHECK_EQUAL(only_header.body().length, 0U);
}

void a_header_without_end_is_given_up() {
    Relay relay;
    relay::IncomingMessage message(relay.directory.path());
    const std::string line = "X-Long: " + std::string(900, 'x') + "\r\n";
    for (int i = 0; i < 6000; ++i)
        message.receive(line);
    CHECK(message.complete() == relay::IncomingMessage::Fault::header_too_long);
}

void a_spooled_message_leaves_nothing_to_the_next() {
    Relay relay;
    const auto spool = std::make_shared<relay::Spool>(relay.directory.path());
    int first = -1;
    {
        relay::IncomingMessage message(spool);
        message.receive("Subject: x\r\n\r\n" + std::string(200000, 'x'));
        CHECK(message.complete() == relay::IncomingMessage::Fault::none);
        first = message.body().fd;
    }
    relay::IncomingMessage message(spool);
    CHECK_EQUAL(message.body().fd, first);
    CHECK_EQUAL(::lseek(first, 0, SEEK_END), 0);
    message.receive("Subject: y\r\n\r\nbody\r\n");
    CHECK(message.complete() == relay::IncomingMessage::Fault::none);
    CHECK_EQUAL(::lseek(first, 0, SEEK_END), 20);
    CHECK_EQUAL(message.body().length, 6U);
    relay::IncomingMessage another(spool);
    CHECK(another.body().fd != first);
}

void a_spool_that_cannot_be_written_is_said() {
    CHECK_THROWS(relay::IncomingMessage("/nowhere"), std::system_error);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{1024, before.rlim_max};
    ::signal(SIGXFSZ, SIG_IGN);
    Relay relay;
    relay::IncomingMessage message(relay.directory.path());
    message.receive("Subject: x\r\n\r\n" + std::string(200000, 'x'));
    ::setrlimit(RLIMIT_FSIZE, &small);
    message.receive(std::string(200000, 'x'));
    const auto fault = message.complete();
    ::setrlimit(RLIMIT_FSIZE, &before);
    CHECK(fault == relay::IncomingMessage::Fault::disk);
}

} // namespace

int main() {
    return run("admission",
               {
                   TEST(a_sealed_message_is_admitted),
                   TEST(no_seal_and_two_seals_are_refused),
                   TEST(a_changed_body_or_field_is_refused),
                   TEST(a_recipient_that_was_not_sealed_is_refused_and_the_others_go),
                   TEST(time_decides),
                   TEST(an_unknown_key_waits_and_a_forged_seal_does_not),
                   TEST(a_right_that_was_taken_away_counts_for_mail_in_the_queue),
                   TEST(a_domain_that_has_ended_or_that_dns_alone_names_is_refused_at_rcpt),
                   TEST(the_header_ends_at_the_first_empty_line_wherever_chunks_end),
                   TEST(a_message_without_header_or_body_is_taken_as_it_is),
                   TEST(a_header_without_end_is_given_up),
                   TEST(a_spooled_message_leaves_nothing_to_the_next),
                   TEST(a_spool_that_cannot_be_written_is_said),
               });
}
