// Losses and odd answers of a card: each is told as what it is, and ends where it should.
#include "netkey_life.hpp"

#include <random>

using namespace demail::tcos;
using namespace demail::test;
using demail::Secret;

namespace {

void a_lost_security_status_is_said_and_clears_what_was_chosen() {
    const auto script = netkey_script();
    Card card = netkey_card(script);
    CHECK_EQUAL(unlock_and_sign(card), "signed");
    const auto good = script->instead;
    script->instead = [](std::size_t, const std::string &command) -> std::optional<Answer> {
        if (command.compare(0, 8, "002a8086") != 0) return std::nullopt;
        return Answer(octets("6982"));
    };
    script->sent.clear();
    CHECK(std::holds_alternative<SecurityStatusLost>(sign(card)));
    CHECK_EQUAL(script->sent.size(), 1U); // no second try without the PIN
    script->instead = good;
    script->sent.clear();
    CHECK_EQUAL(unlock_and_sign(card), "signed");
    CHECK_EQUAL(script->sent.size(), 5U);
}

void a_key_that_was_forgotten_is_chosen_once_more() {
    const auto script = netkey_script();
    Card card = netkey_card(script);
    CHECK_EQUAL(unlock_and_sign(card), "signed");
    const auto good = script->instead;
    int refusals = 1;
    script->instead = [&](std::size_t number, const std::string &command) -> std::optional<Answer> {
        if (command.compare(0, 8, "002a8086") == 0 && refusals-- > 0) return Answer(octets("6985"));
        return good(number, command);
    };
    script->sent.clear();
    CHECK(std::holds_alternative<Secret>(sign(card)));
    CHECK_EQUAL(script->sent.size(), 4U); // refused; DF, key, operation
    refusals = 2;
    script->sent.clear();
    const KeyOutcome refused = sign(card);
    CHECK_EQUAL(std::get<Refused>(refused).status.value, 0x6985);
    CHECK_EQUAL(script->sent.size(), 4U);
}

// Whatever a key answers: a result or a reason, in at most four APDUs.
void every_status_word_of_a_key_is_taken() {
    const auto script = netkey_script();
    Card card = netkey_card(script);
    const auto good = script->instead;
    for (unsigned status = 0; status <= 0xffff; ++status) {
        if (status >> 8U == 0x61) continue; // more data: below
        script->sent.clear();
        script->instead = [&](std::size_t number,
                              const std::string &command) -> std::optional<Answer> {
            if (command.compare(0, 4, "002a") != 0) return good(number, command);
            return Answer(Bytes{static_cast<unsigned char>(status >> 8U),
                                static_cast<unsigned char>(status & 0xffU)});
        };
        const KeyOutcome outcome = sign(card);
        if (status == 0x9000)
            CHECK(std::holds_alternative<Loss>(outcome)); // good, but without a signature
        else if (status == 0x6982)
            CHECK(std::holds_alternative<SecurityStatusLost>(outcome));
        else
            CHECK_EQUAL(std::get<Refused>(outcome).status.value, status);
        CHECK(script->sent.size() <= 4U);
        if (std::holds_alternative<Loss>(outcome)) {
            script->instead = good;
            CHECK(std::get<bool>(card.resume(std::make_unique<ScriptedCard>(script))));
        }
    }
}

void data_in_pieces_are_fetched() {
    const auto script = netkey_script();
    Card card = netkey_card(script);
    const std::string half = scripted_result().substr(256);
    const auto good = script->instead;
    script->instead = [&](std::size_t number, const std::string &command) -> std::optional<Answer> {
        if (command.compare(0, 4, "002a") == 0) return Answer(octets("6180"));
        if (command == "00c0000080" && script->count("00c0") == 1)
            return Answer(octets(half + "6180"));
        if (command == "00c0000080") return Answer(octets(half + "9000"));
        return good(number, command);
    };
    const KeyOutcome outcome = sign(card);
    CHECK_EQUAL(text_hex(bytes_of(std::get<Secret>(outcome).view())), scripted_result());
}

void data_without_an_end_are_a_loss() {
    const auto script = netkey_script();
    Card card = netkey_card(script);
    for (const char *piece : {"6100", "6101", "006101", "61ff"}) {
        script->sent.clear();
        script->instead = [&](std::size_t, const std::string &command) -> std::optional<Answer> {
            if (command.compare(0, 4, "002a") == 0 || command.compare(0, 4, "00c0") == 0)
                return Answer(octets(piece));
            return std::nullopt;
        };
        CHECK_EQUAL(std::get<Loss>(sign(card)), Loss::garbled);
        CHECK(script->sent.size() < 80);
        script->instead = nullptr;
        CHECK(std::get<bool>(card.resume(std::make_unique<ScriptedCard>(script))));
    }
}

void another_length_is_asked_for_once() {
    const auto script = netkey_script();
    script->answers["00b0000000"] = "6c0c";
    script->answers["00b000000c"] = "5a0a" + netkey_serial + "9000";
    Identified found = identify(script);
    CHECK_EQUAL(std::get<Card>(found).serial(), netkey_serial);
    script->answers["00b000000c"] = "6c0c";
    script->sent.clear();
    CHECK(std::holds_alternative<UnknownCard>(identify(script)));
    CHECK_EQUAL(script->count("00b0"), 2U);
}

void a_result_of_another_length_is_a_loss() {
    for (const std::size_t size : {0U, 1U, 128U, 255U, 257U, 300U}) {
        const auto script = netkey_script();
        Card card = netkey_card(script);
        const auto good = script->instead;
        script->instead = [&](std::size_t number,
                              const std::string &command) -> std::optional<Answer> {
            if (command.compare(0, 4, "002a") != 0) return good(number, command);
            Bytes answer(size, 0x5a);
            answer.insert(answer.end(), {0x90, 0x00});
            return Answer(answer);
        };
        const KeyOutcome outcome = sign(card);
        // What comes beyond the length that was asked for is cut off; a wrong signature is found by
        // whoever checks it.
        if (size > 256)
            CHECK(std::holds_alternative<Secret>(outcome));
        else
            CHECK_EQUAL(std::get<Loss>(outcome), Loss::garbled);
    }
}

void every_loss_at_every_apdu_is_told_and_ends_the_dialogue() {
    const auto whole = netkey_script(certificate_der());
    CHECK_EQUAL(whole_life(whole), "signed");
    const std::size_t length = whole->sent.size();
    CHECK(length > 20);
    for (const Loss loss : {Loss::card_removed, Loss::card_reset, Loss::reader_gone,
                            Loss::service_gone, Loss::timed_out}) {
        for (std::size_t at = 0; at < length; ++at) {
            const auto script = netkey_script(certificate_der());
            const auto good = script->instead;
            script->instead = [&](std::size_t number,
                                  const std::string &command) -> std::optional<Answer> {
                if (number == at) return Answer(loss);
                return good(number, command);
            };
            CHECK_EQUAL(whole_life(script), text(loss));
            CHECK_EQUAL(script->sent.size(), at + 1);
        }
    }
}

void a_loss_is_told_again_without_an_apdu_until_the_card_is_back() {
    const auto script = netkey_script();
    Card card = netkey_card(script);
    CHECK_EQUAL(unlock_and_sign(card), "signed");
    const auto good = script->instead;
    script->instead = [](std::size_t, const std::string &) { return Answer(Loss::card_reset); };
    CHECK_EQUAL(std::get<Loss>(sign(card)), Loss::card_reset);
    script->sent.clear();
    CHECK_EQUAL(std::get<Loss>(sign(card)), Loss::card_reset);
    CHECK(script->sent.empty());
    script->instead = good;
    CHECK(std::get<bool>(card.resume(std::make_unique<ScriptedCard>(script))));
    CHECK_EQUAL(script->sent.size(), 2U);
    CHECK_EQUAL(unlock_and_sign(card), "signed");
    CHECK_EQUAL(script->sent.size(), 7U);
}

void another_card_is_noticed() {
    const auto script = netkey_script();
    Card card = netkey_card(script);
    card.release();
    script->answers["00b0000000"] = "5a0a" + std::string("89490173000012345679") + "9000";
    CHECK(!std::get<bool>(card.resume(std::make_unique<ScriptedCard>(script))));
    script->sent.clear();
    CHECK(std::holds_alternative<Loss>(card.verify(pin_of(card, "pin2"), secret("123456"))));
    CHECK(script->sent.empty());
}

// Answers cut off anywhere, and longer than any should be: an outcome, never more PINs than one.
void truncated_and_oversized_answers_are_survived() {
    const auto whole = netkey_script(certificate_der());
    CHECK_EQUAL(whole_life(whole), "signed");
    const std::size_t length = whole->sent.size();
    for (std::size_t at = 0; at < length; ++at) {
        for (const std::size_t size :
             {0U, 1U, 2U, 3U, 5U, 11U, 13U, 100U, 257U, 258U, 259U, 8194U}) {
            const auto script = netkey_script(certificate_der());
            const auto good = script->instead;
            script->instead = [&](std::size_t number,
                                  const std::string &command) -> std::optional<Answer> {
                if (number != at) return good(number, command);
                Bytes answer(size, 0x30);
                if (size >= 2) {
                    answer[size - 2] = 0x90;
                    answer[size - 1] = 0x00;
                }
                return Answer(answer);
            };
            const std::string end = whole_life(script);
            if (size < 2) CHECK_EQUAL(end, text(Loss::garbled));
            CHECK(script->count("0020008306") <= 1);
            CHECK(script->sent.size() < 3 * length);
        }
    }
}

} // namespace

int main() {
    return run("tcos_losses",
               {TEST(a_lost_security_status_is_said_and_clears_what_was_chosen),
                TEST(a_key_that_was_forgotten_is_chosen_once_more),
                TEST(every_status_word_of_a_key_is_taken), TEST(data_in_pieces_are_fetched),
                TEST(data_without_an_end_are_a_loss), TEST(another_length_is_asked_for_once),
                TEST(a_result_of_another_length_is_a_loss),
                TEST(every_loss_at_every_apdu_is_told_and_ends_the_dialogue),
                TEST(a_loss_is_told_again_without_an_apdu_until_the_card_is_back),
                TEST(another_card_is_noticed), TEST(truncated_and_oversized_answers_are_survived)});
}
