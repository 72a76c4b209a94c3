// Who was stopped from sending De-Mail by a person (demailctl block), as the relay's file says it.
// Pure; reading is thread-safe.
#pragma once

#include "message/address.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace demail {

struct Block {
    enum class Kind { all, account, address };
    Kind kind = Kind::all;
    std::string what;       ///< the account's name, or the address in lower case; "" for all
    std::int64_t since = 0; ///< Unix seconds
    std::string by;         ///< the user who did it, a word

    [[nodiscard]] bool same(const Block &other) const {
        return kind == other.kind && what == other.what;
    }
};
/// "all", "account", "address".
[[nodiscard]] std::string_view name(Block::Kind kind) noexcept;

/// Checks `what` and brings it into its form; nullopt where it is none of the kind.
[[nodiscard]] std::optional<Block> make_block(std::string_view kind, std::string_view what);

class Blocks {
  public:
    static constexpr std::size_t longest_text = std::size_t{8} << 20;

    /// Reads what str() writes, blank lines and "#" comments; nullopt where a line is something
    /// else: what cannot be read might block somebody.
    static std::optional<Blocks> parse(std::string_view text);
    /// A line each: KIND WHAT SECONDS BY; WHAT is "*" for all.
    [[nodiscard]] std::string str() const;

    /// False where it stands there already.
    bool add(Block block);
    /// False where there is none.
    bool remove(const Block &block);
    /// One that stops the account or one of the addresses; null: none.
    [[nodiscard]] const Block *find(std::string_view account,
                                    const std::vector<Address> &addresses) const;
    [[nodiscard]] const std::vector<Block> &all() const noexcept { return blocks_; }

  private:
    std::vector<Block> blocks_;
};

} // namespace demail
