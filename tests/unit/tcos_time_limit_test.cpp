// A transport that hangs.
#include "check.hpp"
#include "netkey_script.hpp"
#include "tcos/time_limit.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

using namespace demail::tcos;
using namespace demail::test;
using namespace std::chrono_literals;

namespace {

/// Hangs until it is let go; says when it has ended.
struct Gate {
    std::mutex mutex;
    std::condition_variable change;
    bool open = false, ended = false;

    void let_go() {
        const std::lock_guard lock(mutex);
        open = true;
        change.notify_all();
    }
    bool has_ended() {
        std::unique_lock lock(mutex);
        return change.wait_for(lock, 10s, [this] { return ended; });
    }
};

class HangingCard : public Transport {
  public:
    explicit HangingCard(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}
    ~HangingCard() override {
        const std::lock_guard lock(gate_->mutex);
        gate_->ended = true;
        gate_->change.notify_all();
    }
    Transmitted transmit(View, std::span<unsigned char> answer) override {
        std::unique_lock lock(gate_->mutex);
        gate_->change.wait(lock, [this] { return gate_->open; });
        answer[0] = 0x90;
        answer[1] = 0x00;
        return std::size_t{2};
    }

  private:
    std::shared_ptr<Gate> gate_;
};

void answers_pass_through_it() {
    const auto script = netkey_script();
    auto found =
        Card::identify(std::make_unique<TimeLimit>(std::make_unique<ScriptedCard>(script), 10s),
                       octets(netkey_atr));
    CHECK_EQUAL(std::get<Card>(found).serial(), netkey_serial);
    Card &card = std::get<Card>(found);
    const KeyOutcome made =
        card.operate(key_of(card, 0x47), KeyOperation::sign_pkcs1, digest_info_of_zeros(), 2048);
    CHECK_EQUAL(std::get<demail::Secret>(made).size(), 256U);
}

void a_card_that_hangs_is_left_behind() {
    const auto gate = std::make_shared<Gate>();
    {
        TimeLimit limited(std::make_unique<HangingCard>(gate), 50ms);
        Bytes answer(258);
        const auto begin = std::chrono::steady_clock::now();
        CHECK_EQUAL(std::get<Loss>(limited.transmit(octets("00200083"), answer)), Loss::timed_out);
        CHECK_EQUAL(std::get<Loss>(limited.transmit(octets("00200083"), answer)), Loss::timed_out);
        CHECK(std::chrono::steady_clock::now() - begin < 5s);
    }
    gate->let_go();
    CHECK(gate->has_ended());
}

void the_end_waits_for_the_card_to_be_given_back() {
    const auto gate = std::make_shared<Gate>();
    gate->let_go();
    {
        TimeLimit limited(std::make_unique<HangingCard>(gate), 10s);
        Bytes answer(258);
        CHECK_EQUAL(std::get<std::size_t>(limited.transmit(octets("00200083"), answer)), 2U);
    }
    const std::lock_guard lock(gate->mutex);
    CHECK(gate->ended);
}

void what_is_longer_than_a_command_is_not_sent() {
    const auto script = netkey_script();
    TimeLimit limited(std::make_unique<ScriptedCard>(script), 10s);
    Bytes answer(258);
    CHECK_EQUAL(std::get<Loss>(limited.transmit(Bytes(longest_command + 1), answer)),
                Loss::garbled);
    CHECK(script->sent.empty());
}

} // namespace

int main() {
    return run("tcos_time_limit",
               {TEST(answers_pass_through_it), TEST(a_card_that_hangs_is_left_behind),
                TEST(the_end_waits_for_the_card_to_be_given_back),
                TEST(what_is_longer_than_a_command_is_not_sent)});
}
