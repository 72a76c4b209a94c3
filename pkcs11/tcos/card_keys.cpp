// A card's private keys.
#include "base/digest_info.hpp"
#include "tcos/card.hpp"
#include "tcos/instructions.hpp"

#include <array>

namespace demail::tcos {
namespace {

constexpr std::uint16_t security_status = 0x6982;
constexpr std::uint16_t not_supported = 0x6a81;
constexpr std::uint16_t not_found = 0x6a88;
constexpr std::size_t least_modulus_bits = 1024;
constexpr std::size_t most_modulus_bits = 4096;
constexpr std::uint8_t confidentiality_template = 0xb8;

// What stands before the block (card-tcos.c): 02 for PKCS#1, 00 for one that is as it is. TCOS 2
// takes cryptograms behind 02, or behind 81 and then takes the padding off itself.
std::uint8_t indicator(Generation generation, KeyOperation operation) noexcept {
    switch (operation) {
    case KeyOperation::sign_pkcs1:
        return 0x02;
    case KeyOperation::sign_block:
        return 0x00;
    case KeyOperation::decipher:
        return generation == Generation::tcos3 ? 0x00 : 0x02;
    }
    return 0x00;
}

} // namespace

// MANAGE SECURITY ENVIRONMENT with nothing but the key's reference: real IDKeys answer 6A80 to an
// algorithm in it (OpenSC #1869).
Card::Step Card::choose(const Key &key) {
    Step step = enter(*key.directory);
    if (!std::holds_alternative<Done>(step) || chosen_ == &key) return step;
    chosen_ = nullptr;
    const std::array<unsigned char, 3> reference{0x84, 0x01, key.reference};
    const std::uint8_t set = generation() == Generation::tcos3 ? 0x41 : 0xc1;
    step =
        send({0x00, ins::manage_security_environment, set, confidentiality_template, reference, 0});
    if (const auto *refused = std::get_if<Refused>(&step);
        refused != nullptr && key.way == Way::digital_signature &&
        (refused->status.value == not_supported || refused->status.value == not_found))
        step = Done{}; // a key for signatures alone is the default of PSO: CDS (card-tcos.c)
    if (std::holds_alternative<Done>(step)) chosen_ = &key;
    return step;
}

KeyOutcome Card::try_once(const Key &key, const Command &command, std::size_t size) {
    const Step step = choose(key);
    if (const auto *loss = std::get_if<Loss>(&step)) return *loss;
    if (const auto *refused = std::get_if<Refused>(&step)) return *refused;
    const Exchange::Outcome outcome = exchange_.run(command);
    if (const auto *loss = std::get_if<Loss>(&outcome)) {
        forget();
        return *loss;
    }
    const auto &response = std::get<Response>(outcome);
    if (!response.status.good()) {
        forget(); // whatever was chosen, it does not serve
        if (response.status.value == security_status) return SecurityStatusLost{};
        return Refused{response.status};
    }
    if (response.data.size() != size) {
        forget();
        return exchange_.garbled();
    }
    Secret result = Secret::copy_of(text_of(response.data));
    exchange_.wipe();
    return result;
}

KeyOutcome Card::operate(const Key &key, KeyOperation operation, View input,
                         std::size_t modulus_bits) {
    if (modulus_bits < least_modulus_bits || modulus_bits > most_modulus_bits ||
        modulus_bits % 8 != 0)
        return NotPossible{"a key of such a length is not known"};
    const std::size_t size = modulus_bits / 8;
    Command command{0x00, ins::perform_security_operation, 0x80, 0x86, {}, size};
    Secret block;
    if (key.way == Way::digital_signature) {
        if (operation != KeyOperation::sign_pkcs1)
            return NotPossible{"this key makes PKCS#1 signatures only"};
        if (input.size() > longest_digital_signature_input)
            return NotPossible{"this key signs 48 bytes at most, less than SHA-256 needs"};
        command.p1 = 0x9e;
        command.p2 = 0x9a;
        command.data = input;
    } else {
        block = Secret(size + 1);
        const char first = static_cast<char>(indicator(generation(), operation));
        block.append({&first, 1});
        if (operation == KeyOperation::sign_pkcs1) {
            const auto padded = pkcs1_block(text_of(input), size);
            if (!padded) return NotPossible{"the DigestInfo is too long for this key"};
            block.append(*padded);
        } else if (input.size() != size) {
            return NotPossible{"the block is not as long as the key's modulus"};
        } else {
            block.append(text_of(input));
        }
        command.data = bytes_of(block.view());
    }
    const bool chosen_before = chosen_ == &key;
    KeyOutcome outcome = try_once(key, command, size);
    // Something else may have happened on the card since it was chosen: once more from the start.
    if (chosen_before && std::holds_alternative<Refused>(outcome))
        outcome = try_once(key, command, size);
    return outcome;
}

} // namespace demail::tcos
