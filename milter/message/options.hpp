// The sending options of De-Mail (TR-01201 3.4 3.1.2-3.1.6), in the guideline's order. Pure,
// thread-safe.
#pragma once

#include <array>
#include <bitset>
#include <optional>
#include <string>
#include <string_view>

namespace demail {

enum class Option {
    confirmation_of_dispatch, // Versandbestätigung
    confirmation_of_receipt,  // Eingangsbestätigung
    confirmation_of_retrieve, // Abholbestätigung
    authoritative,            // Absenderbestätigt
    personal,                 // Persönlich; the field and the name are "private"
};
inline constexpr std::array all_options{
    Option::confirmation_of_dispatch, Option::confirmation_of_receipt,
    Option::confirmation_of_retrieve, Option::authoritative, Option::personal};

/// "confirmation-of-dispatch" …: the field's name without "x-de-mail-".
[[nodiscard]] std::string_view name(Option option) noexcept;
[[nodiscard]] std::optional<Option> option_named(std::string_view name) noexcept;

class OptionSet {
  public:
    [[nodiscard]] bool has(Option option) const noexcept { return bits_[index(option)]; }
    void set(Option option, bool on = true) noexcept { bits_[index(option)] = on; }
    [[nodiscard]] bool empty() const noexcept { return bits_.none(); }
    /// Names joined by commas, in the guideline's order; "" for none.
    [[nodiscard]] std::string str() const;
    /// Reads what str() writes, strictly: known names, each once, in order.
    static std::optional<OptionSet> parse(std::string_view text);
    friend bool operator==(const OptionSet &, const OptionSet &) = default;

  private:
    static std::size_t index(Option option) noexcept { return static_cast<std::size_t>(option); }
    std::bitset<all_options.size()> bits_;
};

} // namespace demail
