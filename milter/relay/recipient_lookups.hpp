// What the provider's directory said of recipients a moment ago. Each question is a signature of
// the card: of several De-Mails to one recipient in a row only the first asks.
#pragma once

#include "message/address.hpp"
#include "soap/provider.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace demail::relay {

/// Thread-safe.
class RecipientLookups {
  public:
    using Clock = std::function<std::chrono::steady_clock::time_point()>;
    static constexpr std::chrono::seconds good_for{60};
    static constexpr std::size_t most = 10'000;

    explicit RecipientLookups(Clock clock = std::chrono::steady_clock::now)
        : clock_(std::move(clock)) {}

    [[nodiscard]] std::optional<soap::DirectoryEntry> known(const Address &recipient);
    /// That a recipient does not exist is not kept: a refusal for good rests on an answer of now.
    void remember(const Address &recipient, const soap::DirectoryEntry &entry);

    /// A directory that has not answered is left alone for a while; Submit asks the same.
    void rest();
    [[nodiscard]] bool resting();

  private:
    struct Kept {
        soap::DirectoryEntry entry;
        std::chrono::steady_clock::time_point until;
    };

    const Clock clock_;
    std::mutex mutex_;
    std::map<std::string, Kept> kept_; ///< by the address in lower case
    std::optional<std::chrono::steady_clock::time_point> rests_until_;
};

} // namespace demail::relay
