// The narrow place between the card engine and whatever carries its APDUs: PC/SC, or a script in
// tests.
#pragma once

#include "tcos/bytes.hpp"

#include <variant>

namespace demail::tcos {

/// Why no answer came. The card's state is unknown from then on, and the Transport is of no more
/// use: the caller makes a new one.
enum class Loss {
    card_removed, ///< no card in the reader any more
    card_reset,  ///< by somebody else, or it lost its power: what was selected and verified is gone
    reader_gone, ///< unplugged, or its USB server dropped
    service_gone, ///< pcscd ended or was restarted
    timed_out,    ///< no answer within the transport's limit
    garbled,      ///< an answer that is none: shorter than a status word, longer than asked for
};

/// For people: "the card was removed".
[[nodiscard]] const char *text(Loss loss) noexcept;

/// How many bytes were written to the answer, or why none.
using Transmitted = std::variant<std::size_t, Loss>;

/// Belongs to one thread at a time.
class Transport {
  public:
    virtual ~Transport() = default;
    /// Sends one command APDU and waits for the answer: data, SW1, SW2. Neither is copied to where
    /// it stays. Blocks.
    [[nodiscard]] virtual Transmitted transmit(View command, std::span<unsigned char> answer) = 0;

  protected:
    Transport() = default;
    Transport(const Transport &) = default;
    Transport &operator=(const Transport &) = default;
};

} // namespace demail::tcos
