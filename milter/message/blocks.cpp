#include "message/blocks.hpp"

#include "message/ascii.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace demail {

namespace {

constexpr std::array<std::string_view, 3> kinds{"all", "account", "address"};

bool is_word(std::string_view text) {
    return !text.empty() && text.size() <= 512 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

std::string_view next_word(std::string_view &rest) {
    rest = ascii::trim(rest);
    const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
    rest.remove_prefix(word.size());
    return word;
}

std::optional<Block> parse_line(std::string_view line) {
    const std::string_view kind = next_word(line);
    std::string_view what = next_word(line);
    const std::string_view since = next_word(line), by = next_word(line);
    if (kind == kinds.front() && what == "*") what = "";
    auto block = make_block(kind, what);
    if (!block || !is_word(by) || !ascii::trim(line).empty()) return std::nullopt;
    const auto [end, error] =
        std::from_chars(since.data(), since.data() + since.size(), block->since);
    if (error != std::errc() || end != since.data() + since.size() || block->since < 0)
        return std::nullopt;
    block->by = by;
    return block;
}

} // namespace

std::string_view name(Block::Kind kind) noexcept {
    return kinds[static_cast<std::size_t>(kind)];
}

std::optional<Block> make_block(std::string_view kind, std::string_view what) {
    Block block;
    if (kind == "all") return what.empty() ? std::optional(block) : std::nullopt;
    if (kind == "account") {
        block.kind = Block::Kind::account;
        block.what = what;
    } else if (kind == "address") {
        const auto address = Address::parse(what);
        if (!address) return std::nullopt;
        block.kind = Block::Kind::address;
        block.what = address->lower();
    } else {
        return std::nullopt;
    }
    // It stands as a word on a line, in the file and on the control socket.
    return is_word(block.what) ? std::optional(block) : std::nullopt;
}

std::optional<Blocks> Blocks::parse(std::string_view text) {
    if (text.size() > longest_text) return std::nullopt;
    Blocks blocks;
    while (!text.empty()) {
        const std::string_view line = ascii::trim(text.substr(0, text.find('\n')));
        text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
        if (line.empty() || line.front() == '#') continue;
        auto block = parse_line(line);
        if (!block) return std::nullopt;
        blocks.blocks_.push_back(*std::move(block));
    }
    return blocks;
}

std::string Blocks::str() const {
    std::string text;
    for (const Block &one : blocks_) {
        text.append(name(one.kind)).append(1, ' ');
        text.append(one.what.empty() ? "*" : one.what).append(1, ' ');
        text.append(std::to_string(one.since)).append(1, ' ').append(one.by).append(1, '\n');
    }
    return text;
}

bool Blocks::add(Block block) {
    if (std::any_of(blocks_.begin(), blocks_.end(),
                    [&](const Block &one) { return one.same(block); }))
        return false;
    blocks_.push_back(std::move(block));
    return true;
}

bool Blocks::remove(const Block &block) {
    return std::erase_if(blocks_, [&](const Block &one) { return one.same(block); }) > 0;
}

const Block *Blocks::find(std::string_view account, const std::vector<Address> &addresses) const {
    for (const Block &one : blocks_) {
        const bool hit = one.kind == Block::Kind::all ||
                         (one.kind == Block::Kind::account && one.what == account) ||
                         (one.kind == Block::Kind::address &&
                          std::any_of(addresses.begin(), addresses.end(),
                                      [&](const Address &a) { return a.lower() == one.what; }));
        if (hit) return &one;
    }
    return nullptr;
}

} // namespace demail
