// Who sends no De-Mail for now, whatever the rules say: what demailctl block has written down.
// Pure, thread-safe.
#pragma once

#include "message/reply.hpp"
#include "message/rights.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace demail {

struct Block {
    enum class What { all, account, address };
    What what = What::all;
    std::string value;      ///< an account's name; an address (Address::lower()); "" for all
    std::int64_t since = 0; ///< Unix seconds
    std::string by;         ///< who did it, for the administrator
    std::string reason;     ///< for the administrator alone; "" where none was given
};

/// "all", "account", "address".
[[nodiscard]] std::string_view word(Block::What what) noexcept;

class Blocks {
  public:
    static constexpr std::size_t longest_text = std::size_t{4} << 20;
    static constexpr std::size_t most = 5000, longest_value = 320, longest_by = 64,
                                 longest_reason = 400;
    using Key = std::pair<Block::What, std::string>;

    /// The file's text, or a sentence: a list that was cut off must not be taken for a short one.
    [[nodiscard]] static std::variant<Blocks, std::string> parse(std::string_view text);
    /// What parse() reads.
    [[nodiscard]] std::string str() const;

    /// "" where it was added; else a sentence: it is no block, or there is no room.
    [[nodiscard]] std::string add(Block block);
    /// False where there was none.
    bool remove(Block::What what, const std::string &value);
    [[nodiscard]] const Block *find(Block::What what, const std::string &value) const;
    /// The first that catches a message by this right. An address catches the De-Mail sender, the
    /// envelope sender, and her who writes for another, by either of her addresses.
    [[nodiscard]] const Block *find(const Right &right, const Address &envelope_sender) const;
    [[nodiscard]] const std::map<Key, Block> &all() const noexcept { return blocks_; }

  private:
    std::map<Key, Block> blocks_;
};

/// 5.7.1, in words for the sender.
[[nodiscard]] Reply refusal(const Block &block);

} // namespace demail
