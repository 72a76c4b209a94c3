// Cards over libpcsclite. The socket is the library's: PCSCLITE_CSOCK_NAME, else pcscd's own.
#pragma once

#include "tcos/transport.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace demail::tcos {

/// A reader as pcscd sees it.
struct ReaderState {
    std::string name;
    bool card = false;   ///< one is in it
    bool mute = false;   ///< but does not answer to a reset
    bool in_use = false; ///< some process holds it exclusively, perhaps this one
    Bytes atr;           ///< of the card; empty while it has no power
    /// As pcscd tells it, without SCARD_STATE_CHANGED: the upper half counts insertions and
    /// removals.
    std::uint32_t pcsc = 0;

    friend bool operator==(const ReaderState &, const ReaderState &) = default;
};

/// Why a card cannot be had now.
enum class NotConnected {
    no_service, ///< pcscd is not there
    no_reader,
    no_card,
    in_use, ///< another process holds it
    mute,   ///< the card does not answer, or speaks no protocol that this reader knows
};
[[nodiscard]] const char *text(NotConnected why) noexcept;

/// A card of our own: held exclusively, without power when this ends. A PIN that was verified would
/// otherwise serve any other client of pcscd.
class PcscCard : public Transport {
  public:
    ~PcscCard() override;
    PcscCard(const PcscCard &) = delete;
    PcscCard &operator=(const PcscCard &) = delete;

    [[nodiscard]] Transmitted transmit(View command, std::span<unsigned char> answer) override;
    [[nodiscard]] const Bytes &atr() const noexcept { return atr_; }

    /// Each has its own connection to pcscd, so that a card that hangs holds up no other. Also
    /// finds a card that pcscd has lost sight of, so it is worth a try where ReaderState shows
    /// none. Blocks while the card gets its power. Thread-safe.
    [[nodiscard]] static std::variant<std::unique_ptr<PcscCard>, NotConnected>
    connect(const std::string &reader);

  private:
    struct Connection;
    explicit PcscCard(std::unique_ptr<Connection> connection, Bytes atr);
    std::unique_ptr<Connection> connection_;
    Bytes atr_;
};

/// The readers, and waiting for them. When pcscd was restarted the next call goes to the new one.
/// One thread at a time, but for cancel().
class Readers {
  public:
    Readers();
    ~Readers();
    Readers(const Readers &) = delete;
    Readers &operator=(const Readers &) = delete;

    /// Loss::service_gone: no pcscd. No reader is an empty list.
    [[nodiscard]] std::variant<std::vector<ReaderState>, Loss> now();
    /// The same as soon as it differs from `known`, or after `limit`. Without pcscd it answers at
    /// once: the caller paces itself.
    [[nodiscard]] std::variant<std::vector<ReaderState>, Loss>
    change(const std::vector<ReaderState> &known, std::chrono::milliseconds limit);
    /// Lets a change() that waits, or else the next one, return at once. From any thread.
    void cancel() noexcept;

  private:
    struct Context;
    std::unique_ptr<Context> context_;
};

} // namespace demail::tcos
