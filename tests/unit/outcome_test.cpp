// From what the provider says to what Postfix hears: the words and figures of a stranger.
#include "check.hpp"
#include "relay/outcome.hpp"

#include <algorithm>

using namespace demail;
using namespace demail::relay;
using journal::State;

namespace {

bool plain(const Reply &reply) {
    return std::all_of(reply.text.begin(), reply.text.end(),
                       [](char c) { return c >= ' ' && c <= '~'; });
}

const std::string hostile =
    "no\r\n250 2.0.0 forged \"quoted\" \xC3\xA4\x1B[31m\x7F" + std::string(10'000, 'x') + "\n";

void a_providers_words_are_one_short_line_of_ascii() {
    for (const OutcomeRow &row : fault_table()) {
        const Outcome outcome = outcome_of(soap::Fault{std::string(row.code), hostile, {}}, "fp");
        CHECK(plain(outcome.reply));
        CHECK(outcome.reply.text.size() < 512);
        CHECK(outcome.reply.text.find("no??250 2.0.0 forged 'quoted'") != std::string::npos);
    }
    CHECK(plain(reply_for_rejected("unknown-recipient", hostile, "fp")));
    CHECK(plain(reply_for_rejected("made-up", hostile, "fp")));
    const Reply accepted = outcome_for_accepted(hostile, "fp").reply;
    CHECK(plain(accepted));
    CHECK(accepted.text.size() < 512);
}

/// Else a provider could hold a letter back for as long as it likes.
void a_pause_is_at_most_an_hour() {
    for (const char *code : {"unavailable", "daily-limit"}) {
        CHECK_EQUAL(outcome_of(soap::Fault{code, "", 90}, "fp").retry_after.count(), 90);
        CHECK_EQUAL(outcome_of(soap::Fault{code, "", 3601}, "fp").retry_after.count(), 3600);
        CHECK_EQUAL(outcome_of(soap::Fault{code, "", ~0U}, "fp").retry_after.count(), 3600);
        CHECK_EQUAL(outcome_of(soap::Fault{code, "", {}}, "fp").retry_after.count(), 0);
    }
}

void only_what_is_signed_and_known_settles_anything() {
    for (const OutcomeRow &row : fault_table())
        CHECK(outcome_of(soap::Fault{std::string(row.code), "", {}}, "fp").state == row.state);
    CHECK(outcome_of(soap::Fault{"made-up", "", {}}, "fp").state == State::uncertain);
    CHECK(outcome_of(soap::Fault{"", "", {}}, "fp").state == State::uncertain);
    CHECK(outcome_of(soap::NoAnswer{"cut"}, "fp").state == State::uncertain);
    CHECK(outcome_of(soap::NotSent{"nobody listens"}, "fp").state == State::deferred);
    CHECK(outcome_of(soap::TokenFault{"the card is out"}, "fp").state == State::deferred);
}

void a_refused_login_suspends_however_it_is_said() {
    CHECK(outcome_of(soap::Fault{"not-authorised", "", {}}, "fp").suspend);
    CHECK(outcome_of(soap::NotSent{"TLS", true}, "fp").suspend);
    CHECK(!outcome_of(soap::NotSent{"TLS", false}, "fp").suspend);
    CHECK(!outcome_of(soap::Fault{"daily-limit", "", {}}, "fp").suspend);
}

/// RFC 3463 2: the class of the enhanced code is that of the reply.
void codes_agree_with_each_other() {
    for (const OutcomeRow &row : fault_table()) {
        CHECK_EQUAL(row.reply_code / 100, row.enhanced.front() - '0');
        CHECK_EQUAL(row.reply_code / 100, row.state == State::refused ? 5 : 4);
    }
}

} // namespace

int main() {
    return test::run("outcome", {TEST(a_providers_words_are_one_short_line_of_ascii),
                                 TEST(a_pause_is_at_most_an_hour),
                                 TEST(only_what_is_signed_and_known_settles_anything),
                                 TEST(a_refused_login_suspends_however_it_is_said),
                                 TEST(codes_agree_with_each_other)});
}
