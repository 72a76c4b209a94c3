// The guard, the latch and the keeper of PINs, with a card that is a script.
#include "broker/guard.hpp"
#include "broker/latch.hpp"
#include "broker/pin_keeper.hpp"
#include "check.hpp"
#include "temporary_directory.hpp"

#include <p11-kit/pkcs11.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <variant>

using namespace demail;
using namespace demail::broker;

namespace {

constexpr const char *serial = "89490171234567890123";

Secret secret(const char *text) {
    return Secret::copy_of(text);
}

/// A card with one PIN that counts what it is asked.
class ScriptedCard : public Driver {
  public:
    std::string right = "123456", number = serial;
    int tries = 3, verifies = 0, stands = 0;
    bool verified = false, null_pin = false, silent = false;
    std::function<void()> before_verify = [] {};
    bool lost_at_verify = false;

    Presence presence() override { return {Presence::Kind::card, "a reader", 1}; }
    std::variant<Facts, Failed, Away> open() override {
        verified = false;
        CardFacts facts;
        facts.serial = number;
        PinFacts pin;
        pin.name = "pin2";
        pin.label = "NetKey PIN2";
        pin.reference = 0x83;
        pin.shortest = 6;
        pin.longest = 16;
        facts.pins.push_back(pin);
        return std::make_shared<const CardFacts>(std::move(facts));
    }
    void close() noexcept override { verified = false; }
    std::variant<PinStand, Away> stand(std::size_t) override {
        ++stands;
        using Kind = PinStand::Kind;
        if (null_pin) return PinStand{Kind::null_pin, -1};
        if (silent) return PinStand{Kind::unknown, -1};
        if (verified) return PinStand{Kind::verified, -1};
        return tries == 0 ? PinStand{Kind::blocked, 0} : PinStand{Kind::usable, tries};
    }
    PinAnswer verify(std::size_t, const Secret &value) override {
        before_verify();
        ++verifies;
        if (lost_at_verify) return Away{"The card was lost.", false};
        if (value.view() == right) {
            tries = 3;
            verified = true;
            return Accepted{};
        }
        --tries;
        if (tries == 0) return PinBlocked{};
        return WrongPin{tries};
    }
    PinAnswer change(std::size_t pin, const Secret &current, const Secret &fresh) override {
        auto answer = verify(pin, current);
        if (std::holds_alternative<Accepted>(answer)) right = fresh.view();
        return answer;
    }
    PinAnswer unblock(std::size_t, const Secret &, const Secret *) override {
        return Failed{CKR_FUNCTION_NOT_SUPPORTED, "no"};
    }
    PinAnswer set_first(std::size_t, const Secret &fresh) override {
        right = fresh.view();
        null_pin = false;
        return Accepted{};
    }
    std::variant<std::string, NeedsPin, Failed, Away>
    sign(const KeyFacts &, const wire::SignScheme &, const std::string &) override {
        return NeedsPin{};
    }
    std::variant<Secret, NeedsPin, Failed, Away>
    decrypt(const KeyFacts &, const wire::DecryptScheme &, const std::string &) override {
        return NeedsPin{};
    }
    std::variant<std::string, Failed, Away> probe() override { return std::string(); }
};

/// One run of the daemon: what stays over its end is the card and the directory.
struct Run {
    ScriptedCard &card;
    Latches latches;
    PinKeeper pins;

    Run(ScriptedCard &the_card, const std::string &directory)
        : card(the_card), latches(directory), pins(card, latches) {
        pins.card_is(std::get<Facts>(card.open()));
    }
    wire::Rv verify(const char *value, Asker asker = Asker::program) {
        return result(pins.verify(0, secret(value), asker, 2, "PIN file /etc/demail/pin"));
    }
    static wire::Rv result(const PinOutcome &outcome) {
        if (const auto *failed = std::get_if<Failed>(&outcome)) return failed->rv;
        return std::holds_alternative<Accepted>(outcome) ? CKR_OK : CKR_DEVICE_REMOVED;
    }
};

void a_program_gets_one_refusal_over_any_number_of_runs() {
    const test::TemporaryDirectory directory;
    ScriptedCard card;
    const std::string latches = directory.path() + "/latches";
    CHECK_EQUAL(Run(card, latches).verify("654321"), static_cast<wire::Rv>(CKR_PIN_INCORRECT));
    for (int i = 0; i < 10; ++i)
        CHECK_EQUAL(Run(card, latches).verify("654321"), static_cast<wire::Rv>(CKR_PIN_LOCKED));
    CHECK_EQUAL(card.verifies, 1);
    // Nor with the right one: it would not know.
    CHECK_EQUAL(Run(card, latches).verify("123456"), static_cast<wire::Rv>(CKR_PIN_LOCKED));
    CHECK_EQUAL(Run(card, latches).verify("123456", Asker::person), static_cast<wire::Rv>(CKR_OK));
    CHECK_EQUAL(Run(card, latches).verify("123456"), static_cast<wire::Rv>(CKR_OK));
}

void an_end_amid_the_verify_is_remembered() {
    const test::TemporaryDirectory directory;
    ScriptedCard card;
    const std::string latches = directory.path() + "/latches";
    // Whatever ends the process at the verify, the latch is on disk before.
    card.before_verify = [&] {
        const auto latch = Latches(latches).find(serial, "pin2");
        CHECK(latch.has_value());
        CHECK(latch->state == Latch::State::trying);
        CHECK_EQUAL(latch->tries, 3);
    };
    card.lost_at_verify = true;
    CHECK_EQUAL(Run(card, latches).verify("654321"), static_cast<wire::Rv>(CKR_DEVICE_REMOVED));
    CHECK_EQUAL(card.verifies, 1);
    // The card had seen it: a try is gone.
    card.lost_at_verify = false;
    card.before_verify = [] {};
    card.tries = 2;
    CHECK_EQUAL(Run(card, latches).verify("654321"), static_cast<wire::Rv>(CKR_PIN_LOCKED));
    CHECK_EQUAL(card.verifies, 1);
    // Had it not, no harm was done.
    card.tries = 3;
    CHECK_EQUAL(Run(card, latches).verify("123456"), static_cast<wire::Rv>(CKR_OK));
}

void without_a_place_for_the_latch_nothing_is_tried() {
    const test::TemporaryDirectory directory;
    ScriptedCard card;
    const std::string latches = directory.path() + "/latches";
    Run run(card, latches);
    std::filesystem::remove(latches);
    std::ofstream(latches) << "no directory";
    CHECK(run.verify("123456") != CKR_OK);
    CHECK_EQUAL(card.verifies, 0);
}

void a_latch_that_cannot_be_understood_is_one() {
    const test::TemporaryDirectory directory;
    ScriptedCard card;
    const std::string latches = directory.path() + "/latches";
    Run run(card, latches);
    std::ofstream(latches + "/" + serial + "-pin2") << "???";
    CHECK_EQUAL(run.verify("123456"), static_cast<wire::Rv>(CKR_PIN_LOCKED));
    CHECK_EQUAL(card.verifies, 0);
}

void a_latch_holds_what_a_person_needs_and_nothing_of_the_pin() {
    const test::TemporaryDirectory directory;
    ScriptedCard card;
    const std::string latches = directory.path() + "/latches";
    CHECK(Run(card, latches).verify("654321") != CKR_OK);
    const std::string path = latches + "/" + serial + "-pin2";
    struct stat status {};
    CHECK_EQUAL(::stat(path.c_str(), &status), 0);
    CHECK_EQUAL(status.st_mode & 07777U, 0600U);
    std::ifstream file(path);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    CHECK(text.find("654321") == std::string::npos);
    const auto latch = parse_latch(text);
    CHECK(latch.has_value());
    CHECK_EQUAL(latch->reference, 0x83);
    CHECK_EQUAL(latch->tries, 2);
    CHECK_EQUAL(latch->source, "PIN file /etc/demail/pin");
    CHECK_EQUAL(latch_text(*latch), text);
}

void the_card_is_asked_before_every_verify() {
    const test::TemporaryDirectory directory;
    ScriptedCard card;
    Run run(card, directory.path() + "/latches");
    CHECK_EQUAL(run.verify("123456"), static_cast<wire::Rv>(CKR_OK));
    CHECK_EQUAL(card.stands, 1);
    run.pins.power_lost();
    card.verified = false;
    card.tries = 2; // somebody else's mistake meanwhile
    CHECK_EQUAL(Run::result(run.pins.verify_again(0, 2)), static_cast<wire::Rv>(CKR_PIN_LOCKED));
    CHECK_EQUAL(card.stands, 2);
    CHECK_EQUAL(card.verifies, 1);
}

void a_pin_that_is_verified_behind_our_back_is_unverified_first() {
    const test::TemporaryDirectory directory;
    ScriptedCard card;
    Run run(card, directory.path() + "/latches");
    card.verified = true; // any value would seem to be right
    CHECK_EQUAL(run.verify("654321"), static_cast<wire::Rv>(CKR_PIN_INCORRECT));
    CHECK(!run.pins.holds(0));
}

void another_card_drops_the_pin() {
    const test::TemporaryDirectory directory;
    ScriptedCard card;
    Run run(card, directory.path() + "/latches");
    CHECK_EQUAL(run.verify("123456"), static_cast<wire::Rv>(CKR_OK));
    CHECK(!run.pins.card_is(std::get<Facts>(card.open())));
    CHECK(run.pins.holds(0));
    CHECK(!run.pins.verified(0));
    card.number = "89490170000000000000";
    CHECK(run.pins.card_is(std::get<Facts>(card.open())));
    CHECK(!run.pins.holds(0));
}

void lengths_are_checked_here() {
    const test::TemporaryDirectory directory;
    ScriptedCard card;
    Run run(card, directory.path() + "/latches");
    for (const char *value : {"12345", "12345678901234567", ""})
        CHECK_EQUAL(run.verify(value), static_cast<wire::Rv>(CKR_PIN_LEN_RANGE));
    CHECK_EQUAL(run.verify("1234\t56"), static_cast<wire::Rv>(CKR_PIN_INVALID));
    CHECK_EQUAL(card.verifies, 0);
}

Question question(PinStand::Kind kind, int tries, Asker asker) {
    return {"PIN", {kind, tries}, asker, 2, std::nullopt, "demailctl unlock"};
}

void who_may_try_with_how_many_tries() {
    using Kind = PinStand::Kind;
    const auto may = [](int tries, Asker asker) {
        return !guard(question(Kind::usable, tries, asker)).has_value();
    };
    CHECK(may(3, Asker::program));
    CHECK(!may(2, Asker::program));
    CHECK(!may(2, Asker::held));
    CHECK(may(2, Asker::person));
    CHECK(!may(1, Asker::person));
    CHECK(may(1, Asker::person_last_try));
    CHECK(!may(0, Asker::person_last_try));
    CHECK(!may(-1, Asker::program));
    CHECK(!may(-1, Asker::person));
    CHECK(may(-1, Asker::person_last_try));
    for (const Asker asker : {Asker::program, Asker::person, Asker::person_last_try}) {
        CHECK_EQUAL(guard(question(Kind::null_pin, -1, asker))->rv,
                    static_cast<wire::Rv>(CKR_USER_PIN_NOT_INITIALIZED));
        CHECK_EQUAL(guard(question(Kind::blocked, 0, asker))->rv,
                    static_cast<wire::Rv>(CKR_PIN_LOCKED));
    }
    CHECK(guard(question(Kind::unknown, -1, Asker::program)).has_value());
}

void an_older_pin_file_does_not_stop_what_is_held() {
    Question asked = question(PinStand::Kind::usable, 3, Asker::held);
    asked.latch = Latch{Latch::State::outdated, 0x83, -1, 0, "PIN file /etc/demail/pin"};
    CHECK(!guard(asked).has_value());
    asked.asker = Asker::program;
    CHECK(guard(asked).has_value());
    asked.asker = Asker::person;
    CHECK(!guard(asked).has_value());
}

} // namespace

int main() {
    return test::run("broker_pins",
                     {TEST(a_program_gets_one_refusal_over_any_number_of_runs),
                      TEST(an_end_amid_the_verify_is_remembered),
                      TEST(without_a_place_for_the_latch_nothing_is_tried),
                      TEST(a_latch_that_cannot_be_understood_is_one),
                      TEST(a_latch_holds_what_a_person_needs_and_nothing_of_the_pin),
                      TEST(the_card_is_asked_before_every_verify),
                      TEST(a_pin_that_is_verified_behind_our_back_is_unverified_first),
                      TEST(another_card_drops_the_pin), TEST(lengths_are_checked_here),
                      TEST(who_may_try_with_how_many_tries),
                      TEST(an_older_pin_file_does_not_stop_what_is_held)});
}
