// A card that answers whatever it likes, all through its life. One byte says what an answer is:
// below F0 so many bytes of data and a status word, as they follow; F0 to F7 256 bytes, each the
// next one, and 9000; F8 to FB as many bytes as the next two say, and 9000; FC to FE nothing but
// 9000; FF a loss. Behind the end there are losses only.
#include "base/digest.hpp"
#include "fuzz.hpp"
#include "tcos/card.hpp"

#include <algorithm>
#include <memory>
#include <string>

namespace demail::fuzz {
namespace {

using namespace tcos;

constexpr std::string_view pin_value = "135790";
constexpr std::size_t most_apdus = 20000;

struct Record {
    explicit Record(std::string_view bytes) : input(bytes) {}
    Input input;
    std::size_t apdus = 0;
    std::size_t pin_commands = 0; ///< with data, or setting a counter back
};

Bytes next_answer(Input &input) {
    Bytes answer;
    const unsigned kind = input.byte();
    if (kind < 0xf0) {
        for (unsigned i = 0; i < kind + 2; ++i)
            answer.push_back(input.byte());
        return answer;
    }
    if (kind <= 0xf7) {
        answer.assign(256, input.byte());
    } else if (kind <= 0xfb) {
        const unsigned size = input.byte() << 8U;
        answer.assign((size | input.byte()) % 9000, 0x30);
    }
    answer.insert(answer.end(), {0x90, 0x00});
    return answer;
}

class AnyCard : public Transport {
  public:
    explicit AnyCard(std::shared_ptr<Record> record) : record_(std::move(record)) {}
    Transmitted transmit(View command, std::span<unsigned char> answer) override {
        ++record_->apdus;
        HOLDS(record_->apdus < most_apdus);
        HOLDS(command.size() >= 4 && command[0] == 0x00);
        const unsigned ins = command[1];
        if ((ins == 0x20 && command.size() > 4) || ins == 0x24 || ins == 0x2c)
            ++record_->pin_commands;
        Input &input = record_->input;
        if (input.rest().empty()) return Loss::card_removed;
        if (static_cast<unsigned char>(input.rest().front()) == 0xff) {
            (void)input.byte();
            return Loss::card_reset;
        }
        const Bytes bytes = next_answer(input);
        if (bytes.size() > answer.size()) return Loss::garbled;
        std::copy(bytes.begin(), bytes.end(), answer.begin());
        return bytes.size();
    }

  private:
    std::shared_ptr<Record> record_;
};

/// Whatever it was, it came of `most` PIN commands at most.
class Counted {
  public:
    Counted(const Record &record, std::size_t most)
        : record_(record), most_(record.pin_commands + most) {}
    ~Counted() { HOLDS(record_.pin_commands <= most_); }
    Counted(const Counted &) = delete;
    Counted &operator=(const Counted &) = delete;

  private:
    const Record &record_;
    std::size_t most_;
};

void use_pins(Card &card, const Record &record) {
    const Secret value = Secret::copy_of(pin_value);
    for (const Pin *pin : card.pins()) {
        {
            const Counted none(record, 0);
            const PinStatus status = card.pin_status(*pin);
            if (const auto *left = std::get_if<TriesLeft>(&status)) HOLDS(left->tries > 0);
        }
        {
            const Counted one(record, 1);
            (void)card.verify(*pin, value);
        }
    }
    const Counted few(record, 5);
    const Pin &pin = *card.pins().front();
    (void)card.change(pin, value, value);
    (void)card.unblock(pin, value);
    (void)card.set_null_pin(pin, value);
}

void use_keys(Card &card, const Record &record) {
    const Counted none(record, 0);
    const Bytes digest_info(51, 0x30);
    const Bytes block(256, 0x00);
    for (const Key *key : card.keys()) {
        for (const auto &[operation, input] :
             {std::pair{KeyOperation::sign_pkcs1, View(digest_info).first(35)},
              std::pair{KeyOperation::sign_pkcs1, View(digest_info)},
              std::pair{KeyOperation::sign_block, View(block)},
              std::pair{KeyOperation::decipher, View(block)}}) {
            const std::uint64_t before = card.apdus();
            const KeyOutcome outcome = card.operate(*key, operation, input, 2048);
            if (const auto *result = std::get_if<Secret>(&outcome)) HOLDS(result->size() == 256);
            HOLDS(!std::holds_alternative<NotPossible>(outcome) || card.apdus() == before);
        }
    }
}

} // namespace

void apdu_answer(std::string_view input) {
    static const std::string atrs[] = {
        *from_hex("3bbfb6008131fe5d00640428030231c073f701d000900067"),
        *from_hex("3bba96008131865d0064057b0203318090007d"), "an ATR that nobody knows"};
    auto record = std::make_shared<Record>(input);
    const View atr = bytes_of(atrs[record->input.byte() % std::size(atrs)]);
    const std::string digits = hex(pin_value);
    const Trace trace = [&](std::string_view apdu, std::string_view outcome) {
        for (const std::string_view shown : {apdu, outcome})
            HOLDS(shown.size() < 200 && shown.find(pin_value) == std::string_view::npos &&
                  shown.find(digits) == std::string_view::npos &&
                  shown.find("31 33 35 37") == std::string_view::npos);
    };
    auto found =
        Card::identify(std::make_unique<AnyCard>(record), Bytes(atr.begin(), atr.end()), trace);
    if (auto *unknown = std::get_if<UnknownCard>(&found)) {
        HOLDS(!unknown->why.empty());
        return;
    }
    if (std::holds_alternative<Loss>(found)) return;
    Card &card = std::get<Card>(found);
    HOLDS(card.serial().size() == 20);
    HOLDS(!card.keys().empty() && !card.pins().empty());
    // A loss ends a part of its life; then the card is put back.
    for (int life = 0; life < 4; ++life) {
        switch (record->input.byte() % 4) {
        case 0:
            (void)card.certificates();
            break;
        case 1:
            (void)card.records();
            break;
        case 2:
            use_pins(card, *record);
            break;
        default:
            break;
        }
        use_keys(card, *record);
        const auto same = card.resume(std::make_unique<AnyCard>(record));
        if (const auto *known = std::get_if<bool>(&same); known == nullptr || !*known) return;
    }
}

} // namespace demail::fuzz
