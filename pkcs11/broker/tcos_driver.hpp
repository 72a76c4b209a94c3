// A card driven by our own engine over PC/SC.
#pragma once

#include "broker/driver.hpp"
#include "broker/reader_watch.hpp"
#include "tcos/card.hpp"

#include <array>
#include <chrono>
#include <optional>
#include <string>

namespace demail::broker {

class TcosDriver : public Driver {
  public:
    /// `watch` outlives it.
    TcosDriver(const ReaderWatch &watch, std::string reader);

    [[nodiscard]] Presence presence() override { return watch_.presence(reader_); }
    [[nodiscard]] std::variant<Facts, Failed, Away> open() override;
    void close() noexcept override;
    [[nodiscard]] std::variant<PinStand, Away> stand(std::size_t pin) override;
    [[nodiscard]] PinAnswer verify(std::size_t pin, const Secret &value) override;
    [[nodiscard]] PinAnswer change(std::size_t pin, const Secret &current,
                                   const Secret &fresh) override;
    [[nodiscard]] PinAnswer unblock(std::size_t pin, const Secret &puk,
                                    const Secret *fresh) override;
    [[nodiscard]] PinAnswer set_first(std::size_t pin, const Secret &fresh) override;
    [[nodiscard]] std::variant<std::string, NeedsPin, Failed, Away>
    sign(const KeyFacts &key, const wire::SignScheme &scheme, const std::string &input) override;
    [[nodiscard]] std::variant<Secret, NeedsPin, Failed, Away>
    decrypt(const KeyFacts &key, const wire::DecryptScheme &scheme,
            const std::string &input) override;
    [[nodiscard]] std::variant<std::string, Failed, Away> probe() override;

  private:
    struct Connected {
        std::unique_ptr<tcos::Transport> transport;
        tcos::Bytes atr;
    };
    [[nodiscard]] std::variant<Connected, Away> connect();
    [[nodiscard]] std::optional<std::variant<Failed, Away>> identify();
    [[nodiscard]] std::variant<Secret, NeedsPin, Failed, Away>
    operate(const KeyFacts &key, tcos::KeyOperation operation, std::string_view input);
    [[nodiscard]] const tcos::Pin &pin_at(std::size_t place) const;

    const ReaderWatch &watch_;
    std::string reader_;
    std::optional<tcos::Card> card_;
    Facts facts_;
    std::array<unsigned char, 32> rejection_key_; ///< tcos/padding.hpp
};

/// What the card is and has, as clients see it. A key without a certificate is none, since its
/// public half is not known.
[[nodiscard]] CardFacts tcos_facts(const tcos::Card &card,
                                   const std::vector<tcos::CertificateOnCard> &certificates);

/// A report for people about all that the card shows without a PIN.
[[nodiscard]] std::string tcos_report(const std::string &reader, tcos::Card &card);

} // namespace demail::broker
