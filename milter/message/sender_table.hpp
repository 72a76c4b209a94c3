// A senders_file: many sender rules of one account, one a line, found by the envelope sender
// without walking through all (demail.toml(5), "A FILE OF SENDERS"). Keeps the text and 20 octets a
// rule; a rule is read again when it is asked for. Immutable, pure, thread-safe.
#pragma once

#include "message/rights.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace demail {

/// One line: FROM AS [login=…] [network=…,…] [local] [defaults=…,…] [allow=…,…] [automatic]
/// [delegate=… delegate_as=…], or a sentence that says what is wrong with it. `account`'s De-Mail
/// domains are `domains`.
[[nodiscard]] std::variant<SenderRule, std::string>
parse_sender_line(std::string_view line, const std::string &account,
                  const std::vector<std::string> &domains);
/// The line that parse_sender_line reads as this rule, without its end.
[[nodiscard]] std::string sender_line(const SenderRule &rule);

class SenderTable {
  public:
    static constexpr std::size_t longest_text = std::size_t{64} << 20;
    static constexpr std::size_t longest_line = 2000;
    static constexpr std::size_t most_rules = 500'000;
    static constexpr std::size_t most_faults = 20; ///< that are said; behind them: how many more

    struct Fault {
        unsigned line; ///< from 1; 0 for the whole
        std::string sentence;
    };
    /// What a rule is for, beside its lines.
    struct Owner {
        std::string file; ///< its name in SenderRule::file
        std::string account;
        std::vector<std::string> domains; ///< of the account
        friend bool operator==(const Owner &, const Owner &) = default;
    };
    /// One fault makes the whole bad: half of a list of rights is another list.
    [[nodiscard]] static std::variant<std::shared_ptr<const SenderTable>, std::vector<Fault>>
    parse(std::string text, Owner owner);

    /// What a rule gives; nullopt: it does not fit.
    using Fits = std::function<std::optional<Address>(const SenderRule &)>;
    /// The first rule in the file that fits, of those that could entitle `who`.
    [[nodiscard]] std::optional<Right> find(const Submitter &who, const Fits &fits) const;
    /// Offers each rule that lets the envelope sender be this De-Mail address, in the file's order,
    /// until one is taken; true where one was.
    [[nodiscard]] bool find_mapping(const Address &envelope_sender, const Address &demail_sender,
                                    const std::function<bool(Right)> &take) const;

    [[nodiscard]] std::size_t size() const noexcept { return lines_.size(); }
    [[nodiscard]] const std::string &text() const noexcept { return text_; }
    [[nodiscard]] const Owner &owner() const noexcept { return owner_; }
    /// Those of the rules' `from`.
    [[nodiscard]] const std::set<std::string, std::less<>> &domains() const noexcept {
        return domains_;
    }

  private:
    struct Line {
        std::uint32_t start, number;
    };
    struct Entry {
        std::uint32_t key, rule; ///< a hash, and the place in lines_
        friend auto operator<=>(const Entry &, const Entry &) = default;
    };
    using Index = std::vector<Entry>;

    SenderTable(std::string text, Owner owner) : text_(std::move(text)), owner_(std::move(owner)) {}
    void add(const SenderRule &rule, Line line);
    [[nodiscard]] std::string_view line_at(std::uint32_t start) const;
    [[nodiscard]] std::vector<std::uint32_t>
    candidates(const Index &index, std::initializer_list<std::uint32_t> keys) const;
    [[nodiscard]] std::shared_ptr<const SenderRule> rule(std::uint32_t place) const;

    const std::string text_;
    const Owner owner_;
    std::vector<Line> lines_;
    Index by_sender_, by_mapping_;
    std::set<std::string, std::less<>> domains_;
};

} // namespace demail
