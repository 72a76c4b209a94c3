// What is remembered on disk of a PIN that a card refused: no restart may try it again before a
// person has looked. A file for each card and PIN reference below a directory of the daemon's own;
// nothing in it is derived from the PIN, which six digits would not protect.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace demail::broker {

struct Latch {
    enum class State {
        trying,  ///< written before a verify; its outcome is not known
        refused, ///< the card said no
        outdated ///< the PIN was changed, and the PIN file that `source` names was not
    };
    State state = State::refused;
    int reference = 0;   ///< the card's number of the PIN
    int tries = -1;      ///< left before the verify (trying), after it (refused); -1: not told
    long long since = 0; ///< Unix seconds
    std::string source;  ///< where the PIN came from: a file's path, or who entered it
};

/// Not thread-safe for one card; each card has one thread.
class Latches {
  public:
    /// Makes the directory (0700) where it is missing. Throws std::system_error.
    explicit Latches(std::string directory);

    /// nullopt: none. A file that cannot be read or understood is a latch too. Never throws but for
    /// memory.
    [[nodiscard]] std::optional<Latch> find(const std::string &card, std::string_view pin) const;
    /// On disk when it returns (0600, fsync). Throws std::system_error, then no verify may follow.
    void set(const std::string &card, std::string_view pin, const Latch &latch);
    /// Throws std::system_error when it stays.
    void clear(const std::string &card, std::string_view pin);

  private:
    [[nodiscard]] std::string path(const std::string &card, std::string_view pin) const;

    std::string directory_;
};

/// For people: "refused by the card on 2026-03-31 at 12:00 UTC (PIN file /etc/demail/pin)".
[[nodiscard]] std::string described(const Latch &latch);

/// The file's text, and back; nullopt where it is none.
[[nodiscard]] std::string latch_text(const Latch &latch);
[[nodiscard]] std::optional<Latch> parse_latch(std::string_view text);

} // namespace demail::broker
