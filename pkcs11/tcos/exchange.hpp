// One command, one answer: sends APDUs over a Transport, fetches what the card holds back (61xx),
// asks again where it names another length (6Cxx), counts, traces. Buffers are locked memory, since
// PINs and deciphered bytes pass through. Belongs to one thread at a time.
#pragma once

#include "base/secret.hpp"
#include "tcos/apdu.hpp"
#include "tcos/transport.hpp"

#include <functional>
#include <memory>
#include <string_view>
#include <variant>

namespace demail::tcos {

/// Given the description() of each APDU and what came back: never a PIN, nor what a key made.
using Trace = std::function<void(std::string_view apdu, std::string_view outcome)>;

class Exchange {
  public:
    using Outcome = std::variant<Response, Loss>;

    explicit Exchange(Trace trace);

    /// A new transport: what was lost is forgotten.
    void begin(std::unique_ptr<Transport> transport) noexcept;
    /// Gives it back.
    void end() noexcept;

    /// The data point into a buffer of this object, until the next call or wipe(). A command that
    /// expects no data is sent exactly once, whatever the card answers: with a PIN command anything
    /// else would cost a try. After a loss every call tells the same loss, without an APDU.
    [[nodiscard]] Outcome run(const Command &command);
    void wipe() noexcept;

    /// An answer that no card gives: lost, like any other loss.
    [[nodiscard]] Loss garbled() noexcept;

    [[nodiscard]] std::uint64_t apdus() const noexcept { return apdus_; }

  private:
    [[nodiscard]] Outcome once(const Command &command, std::size_t offset);
    [[nodiscard]] Outcome fetch_rest(Response response, std::size_t expected);

    std::unique_ptr<Transport> transport_;
    Trace trace_;
    Secret command_;
    Secret answer_;
    Loss lost_ = Loss::card_removed; ///< told while there is no transport
    std::uint64_t apdus_ = 0;
};

} // namespace demail::tcos
