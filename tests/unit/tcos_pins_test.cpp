// PINs: what is sent, that it is sent once, and what is made of every answer.
#include "check.hpp"
#include "netkey_script.hpp"
#include "own_memory.hpp"
#include "tcos/time_limit.hpp"

using namespace demail::tcos;
using namespace demail::test;
using demail::Secret;

namespace {

std::string shown_status(const PinStatus &status) {
    if (const auto *left = std::get_if<TriesLeft>(&status))
        return "left " + std::to_string(left->tries);
    if (std::holds_alternative<Verified>(status)) return "verified";
    if (std::holds_alternative<Blocked>(status)) return "blocked";
    if (std::holds_alternative<NullPin>(status)) return "null";
    if (const auto *unknown = std::get_if<StatusUnknown>(&status)) return text(unknown->status);
    return text(std::get<Loss>(status));
}

std::string shown_outcome(const PinOutcome &outcome) {
    if (std::holds_alternative<Done>(outcome)) return "done";
    if (const auto *wrong = std::get_if<WrongPin>(&outcome))
        return wrong->tries_left ? "wrong " + std::to_string(*wrong->tries_left) : "wrong";
    if (std::holds_alternative<Blocked>(outcome)) return "blocked";
    if (std::holds_alternative<NullPin>(outcome)) return "null";
    if (const auto *refused = std::get_if<Refused>(&outcome)) return text(refused->status);
    if (const auto *not_possible = std::get_if<NotPossible>(&outcome))
        return std::string(not_possible->why);
    return text(std::get<Loss>(outcome));
}

void a_status_is_asked_for_without_a_try() {
    const auto script = netkey_script();
    Card card = netkey_card(script);
    const Pin &pin = pin_of(card, "pin2");
    for (const auto &[answer, expected] : {std::pair{"63c3", "left 3"},
                                           {"63c1", "left 1"},
                                           {"63c0", "blocked"},
                                           {"9000", "verified"},
                                           {"6983", "blocked"},
                                           {"6984", "blocked"},
                                           {"6985", "null"}}) {
        script->answers[status_pin2] = answer;
        CHECK_EQUAL(shown_status(card.pin_status(pin)), expected);
    }
    CHECK_EQUAL(script->count("0020"), 7U);
    CHECK_EQUAL(script->count(status_pin2), 7U); // each without data
    for (const std::string &command : script->sent)
        if (command.compare(0, 4, "0020") == 0) CHECK_EQUAL(command.size(), 8U);
}

void where_the_card_does_not_say_it_its_record_does() {
    const auto script = netkey_script();
    Card card = netkey_card(script);
    const Pin &pin = pin_of(card, "pin2");
    script->answers[status_pin2] = "6a86";
    CHECK_EQUAL(shown_status(card.pin_status(pin)), "6A86, wrong parameters");
    script->answers["00a4090c025049"] = "9000";
    script->answers["00b2010400"] = "a007830181900203039000";
    script->answers["00b2020400"] = "a007830183900203029000";
    script->answers["00b2030400"] = "6a83";
    CHECK_EQUAL(shown_status(card.pin_status(pin)), "left 2");
    script->answers["00b2020400"] = "a007830183900203009000";
    CHECK_EQUAL(shown_status(card.pin_status(pin)), "blocked");
    for (const char *bad :
         {"a00583018390009000", "a007830183910203029000", "a0078301839000", "a003830183909000",
          "a00083018390020302"
          "9000"}) {
        script->answers["00b2020400"] = std::string(bad).size() % 2 == 0 ? bad : "9000";
        CHECK_EQUAL(shown_status(card.pin_status(pin)), "6A86, wrong parameters");
    }
}

void a_global_pin_needs_no_directory() {
    const auto script = netkey_script();
    Card card = netkey_card(script);
    script->answers["00200000"] = "63c3";
    script->answers["0020000006313233343536"] = "9000";
    const Pin &pin = pin_of(card, "pin");
    CHECK_EQUAL(shown_status(card.pin_status(pin)), "left 3");
    CHECK_EQUAL(shown_outcome(card.verify(pin, secret("123456"))), "done");
    CHECK_EQUAL(script->sent.size(), 2U);
}

// All 65536 of them: one VERIFY each, and never a second one.
void every_status_word_of_a_verify_is_taken_once() {
    const auto script = netkey_script();
    Card card = netkey_card(script);
    const Pin &pin = pin_of(card, "pin2");
    const Secret value = secret("123456");
    const auto pair = [](unsigned status) {
        return Bytes{static_cast<unsigned char>(status >> 8U),
                     static_cast<unsigned char>(status & 0xffU)};
    };
    for (unsigned status = 0; status <= 0xffff; ++status) {
        script->sent.clear();
        script->answers[verify_pin2] = text_hex(pair(status));
        const std::string outcome = shown_outcome(card.verify(pin, value));
        CHECK_EQUAL(script->count("0020"), 1U);
        CHECK(script->sent.size() <= 2U);
        if (status == 0x9000)
            CHECK_EQUAL(outcome, "done");
        else if (status >= 0x63c0 && status <= 0x63cf)
            CHECK_EQUAL(outcome, "wrong " + std::to_string(status & 15U));
        else if (status == 0x6300)
            CHECK_EQUAL(outcome, "wrong");
        else if (status == 0x6983 || status == 0x6984)
            CHECK_EQUAL(outcome, "blocked");
        else if (status == 0x6985)
            CHECK_EQUAL(outcome, "null");
        else
            CHECK_EQUAL(outcome, text(StatusWord{static_cast<std::uint16_t>(status)}));
    }
}

void a_lost_verify_is_not_repeated() {
    const auto script = netkey_script();
    Card card = netkey_card(script);
    script->instead = [](std::size_t, const std::string &command) -> std::optional<Answer> {
        if (command == verify_pin2) return Answer(Loss::card_reset);
        return std::nullopt;
    };
    const Pin &pin = pin_of(card, "pin2");
    CHECK_EQUAL(shown_outcome(card.verify(pin, secret("123456"))), text(Loss::card_reset));
    CHECK_EQUAL(shown_outcome(card.verify(pin, secret("123456"))), text(Loss::card_reset));
    CHECK_EQUAL(script->count("00200083"), 1U);
}

void a_pin_that_can_be_none_never_reaches_the_card() {
    const auto script = netkey_script();
    Card card = netkey_card(script);
    const Pin &pin = pin_of(card, "pin2");
    for (const char *bad : {"", "12345", "12345678901234567", "12 456", "12345\n", "1234\xc3\xa4"})
        CHECK(std::holds_alternative<NotPossible>(card.verify(pin, secret(bad))));
    CHECK(std::holds_alternative<NotPossible>(card.verify(pin_of(card, "puk"), secret("1234567"))));
    CHECK(script->sent.empty());
    // A new PIN that cannot be is refused before the old one is tried.
    CHECK(std::holds_alternative<NotPossible>(card.change(pin, secret("123456"), secret("1"))));
    CHECK(script->sent.empty());
}

void a_change_verifies_first_and_stops_where_that_fails() {
    const auto script = netkey_script();
    Card card = netkey_card(script);
    const Pin &pin = pin_of(card, "pin2");
    script->answers["0024018306363534333231"] = "9000";
    CHECK_EQUAL(shown_outcome(card.change(pin, secret("123456"), secret("654321"))), "done");
    CHECK_EQUAL(script->sent.size(), 3U); // DF, VERIFY, CHANGE
    script->sent.clear();
    script->answers[verify_pin2] = "63c2";
    CHECK_EQUAL(shown_outcome(card.change(pin, secret("123456"), secret("654321"))), "wrong 2");
    CHECK_EQUAL(script->count("0024"), 0U);
    CHECK_EQUAL(script->count("0020"), 1U);
}

void a_pin_is_unblocked_by_the_one_above_it() {
    const auto script = netkey_script();
    Card card = netkey_card(script);
    script->answers["00200001083132333435363738"] = "9000";
    script->answers["002c0300"] = "9000";
    CHECK_EQUAL(shown_outcome(card.unblock(pin_of(card, "pin"), secret("12345678"))), "done");
    CHECK_EQUAL(script->sent.size(), 2U);
    // NetKey's own PINs: by the global PIN, in their directory.
    script->answers["0020000006313233343536"] = "9000";
    script->answers["002c0383"] = "9000";
    script->sent.clear();
    CHECK_EQUAL(shown_outcome(card.unblock(pin_of(card, "pin2"), secret("123456"))), "done");
    CHECK_EQUAL(script->sent.back(), "002c0383");
    CHECK_EQUAL(script->count(select_netkey), 1U);
    CHECK(
        std::holds_alternative<NotPossible>(card.unblock(pin_of(card, "puk"), secret("12345678"))));
    script->answers["00200001083132333435363738"] = "63c9";
    script->sent.clear();
    CHECK_EQUAL(shown_outcome(card.unblock(pin_of(card, "pin"), secret("12345678"))), "wrong 9");
    CHECK_EQUAL(script->count("002c"), 0U);
}

void a_null_pin_is_set_only_where_it_is_one() {
    const auto script = netkey_script();
    Card card = netkey_card(script);
    const Pin &pin = pin_of(card, "pin");
    script->answers["00200000"] = "6985";
    script->answers["002400000c000000000000313233343536"] = "9000";
    CHECK_EQUAL(shown_outcome(card.set_null_pin(pin, secret("123456"))), "done");
    for (const char *status : {"63c3", "9000", "6983", "6a88"}) {
        script->answers["00200000"] = status;
        script->sent.clear();
        CHECK(std::holds_alternative<NotPossible>(card.set_null_pin(pin, secret("123456"))));
        CHECK_EQUAL(script->count("0024"), 0U);
    }
}

// Not in the engine's buffers, nor in the thread's that talks to the card.
void a_pin_stays_nowhere_after_its_command() {
    if (sanitized) return;
    const auto script = netkey_script();
    script->otherwise = "9000";
    auto found = Card::identify(std::make_unique<TimeLimit>(std::make_unique<ScriptedCard>(script),
                                                            std::chrono::seconds(10)),
                                octets(netkey_atr));
    Card &card = std::get<Card>(found);
    const Secret value = random_digits(16);
    CHECK_EQUAL(copies_in_memory(value.view()), 1);
    const Pin &pin = pin_of(card, "pin2");
    CHECK_EQUAL(shown_outcome(card.verify(pin, value)), "done");
    CHECK_EQUAL(script->count("0020008310"), 1U);
    CHECK_EQUAL(copies_in_memory(value.view()), 1);
    CHECK_EQUAL(shown_outcome(card.change(pin, value, value)), "done");
    script->answers["00200000"] = "6985";
    CHECK_EQUAL(shown_outcome(card.set_null_pin(pin_of(card, "pin"), value)), "done");
    CHECK_EQUAL(script->count("00240000"), 1U);
    CHECK_EQUAL(copies_in_memory(value.view()), 1);
}

} // namespace

int main(int, char **arguments) {
    bind_all_now(arguments);
    return run("tcos_pins",
               {TEST(a_status_is_asked_for_without_a_try),
                TEST(where_the_card_does_not_say_it_its_record_does),
                TEST(a_global_pin_needs_no_directory),
                TEST(every_status_word_of_a_verify_is_taken_once),
                TEST(a_lost_verify_is_not_repeated), TEST(a_pin_stays_nowhere_after_its_command),
                TEST(a_pin_that_can_be_none_never_reaches_the_card),
                TEST(a_change_verifies_first_and_stops_where_that_fails),
                TEST(a_pin_is_unblocked_by_the_one_above_it),
                TEST(a_null_pin_is_set_only_where_it_is_one)});
}
