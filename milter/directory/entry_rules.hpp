// What an entry of a directory says, as sender rules. All in it are foreign bytes: some directories
// let people change their own entries. Pure; an object belongs to one thread.
#pragma once

#include "message/rights.hpp"
#include "message/sender_table.hpp"

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace demail::directory {

/// One entry, as far as it was asked for; the values as they came.
struct Entry {
    std::string name; ///< its DN, for sentences
    std::vector<std::string> from, as, login, defaults, allow;
};

/// What the rules of all entries have in common.
struct RuleTemplate {
    std::string account;
    std::vector<std::string> domains; ///< of the account
    OptionSet defaults, allow;        ///< beside those that an entry has
};

/// Collects the lines of a senders_file.
class EntryRules {
  public:
    static constexpr std::size_t longest_value = 320, most_values = 16;

    explicit EntryRules(RuleTemplate common) : common_(std::move(common)) {}

    /// "" where its rule was taken; else a sentence, and the whole is not to be used. One address,
    /// one De-Mail address and one login are needed, none with a "*", and no two entries may have
    /// the same of the first two.
    [[nodiscard]] std::string add(const Entry &entry);
    [[nodiscard]] std::size_t size() const noexcept { return lines_.size(); }
    /// The lines, sorted: the same rules make the same text, in whatever order they came.
    [[nodiscard]] std::string text() const;

  private:
    RuleTemplate common_;
    std::set<std::string> lines_, senders_, demail_senders_;
    std::size_t octets_ = 0;
};

} // namespace demail::directory
