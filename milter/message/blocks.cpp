#include "message/blocks.hpp"

#include "message/utf8.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace demail {

namespace {

constexpr std::string_view first_line = "demail-blocks 1\n", last_word = "end ";

std::optional<Block::What> what_named(std::string_view text) {
    for (const auto what : {Block::What::all, Block::What::account, Block::What::address})
        if (text == word(what)) return what;
    return std::nullopt;
}

template <typename Number>
std::optional<Number> number(std::string_view text) {
    Number value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool visible_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

bool good_value(const Block &block) {
    switch (block.what) {
    case Block::What::all:
        return block.value.empty();
    case Block::What::account:
        return !block.value.empty() && visible_ascii(block.value);
    case Block::What::address:
        break;
    }
    const auto address = Address::parse(block.value);
    return address && address->lower() == block.value;
}

std::string fault_of(const Block &block) {
    if (block.value.size() > Blocks::longest_value || !is_printable_utf8(block.value) ||
        !good_value(block))
        return "this is nothing that can be blocked.";
    if (block.by.empty() || block.by.size() > Blocks::longest_by || !is_printable_utf8(block.by))
        return "it is not known who blocks.";
    if (block.reason.size() > Blocks::longest_reason || !is_printable_utf8(block.reason))
        return "a reason is at most " + std::to_string(Blocks::longest_reason) +
               " octets of printable text.";
    return block.since < 0 ? "the time is not valid." : "";
}

/// "KIND TAB VALUE TAB SINCE TAB BY TAB REASON"
std::optional<Block> read_line(std::string_view line) {
    std::array<std::string_view, 5> parts;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::size_t end = line.find('\t');
        if ((end == std::string_view::npos) != (i + 1 == parts.size())) return std::nullopt;
        parts[i] = line.substr(0, end);
        line.remove_prefix(std::min(line.size(), end == line.npos ? line.size() : end + 1));
    }
    const auto what = what_named(parts[0]);
    const auto since = number<std::int64_t>(parts[2]);
    if (!what || !since) return std::nullopt;
    return Block{*what, std::string(parts[1]), *since, std::string(parts[3]),
                 std::string(parts[4])};
}

} // namespace

std::string_view word(Block::What what) noexcept {
    switch (what) {
    case Block::What::all:
        return "all";
    case Block::What::account:
        return "account";
    default:
        return "address";
    }
}

std::variant<Blocks, std::string> Blocks::parse(std::string_view text) {
    const std::string damaged = "it is damaged or was not written by demailctl; put a good "
                                "one there, or remove it and block anew who must stay blocked.";
    if (text.size() > longest_text || !text.starts_with(first_line)) return damaged;
    text.remove_prefix(first_line.size());
    Blocks blocks;
    while (true) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) return damaged; // cut off
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end + 1);
        if (line.starts_with(last_word)) {
            const auto count = number<std::size_t>(line.substr(last_word.size()));
            if (!text.empty() || !count || *count != blocks.blocks_.size()) return damaged;
            return blocks;
        }
        auto block = read_line(line);
        if (!block || !blocks.add(*std::move(block)).empty()) return damaged;
    }
}

std::string Blocks::str() const {
    std::string text(first_line);
    for (const auto &[key, block] : blocks_) {
        text.append(word(block.what)).append(1, '\t').append(block.value).append(1, '\t');
        text.append(std::to_string(block.since)).append(1, '\t').append(block.by).append(1, '\t');
        text.append(block.reason).append(1, '\n');
    }
    return text.append(last_word).append(std::to_string(blocks_.size())).append(1, '\n');
}

std::string Blocks::add(Block block) {
    if (std::string fault = fault_of(block); !fault.empty()) return fault;
    if (blocks_.size() == most) return "there are " + std::to_string(most) + " blocks already.";
    Key key{block.what, block.value};
    return blocks_.emplace(std::move(key), std::move(block)).second ? "" : "it is blocked already.";
}

bool Blocks::remove(Block::What what, const std::string &value) {
    return blocks_.erase({what, value}) > 0;
}

const Block *Blocks::find(Block::What what, const std::string &value) const {
    const auto place = blocks_.find({what, value});
    return place == blocks_.end() ? nullptr : &place->second;
}

const Block *Blocks::find(const Right &right, const Address &envelope_sender) const {
    if (blocks_.empty()) return nullptr;
    if (const Block *all = find(Block::What::all, "")) return all;
    if (const Block *account = find(Block::What::account, right.rule->account)) return account;
    const auto one = [&](const Address &address) {
        return find(Block::What::address, address.lower());
    };
    if (const Block *sender = one(right.sender)) return sender;
    if (const Block *sender = one(envelope_sender)) return sender;
    for (const auto &delegate : {right.rule->delegate, right.rule->delegate_as})
        if (delegate)
            if (const Block *writes = one(*delegate)) return writes;
    return nullptr;
}

Reply refusal(const Block &block) {
    switch (block.what) {
    case Block::What::all:
        return {550, "5.7.1",
                "Not sent as De-Mail: sending De-Mail is blocked at this gateway for now; ask the "
                "administrator"};
    case Block::What::account:
        return {550, "5.7.1",
                "Not sent as De-Mail: the De-Mail account of this sender is blocked for now; ask "
                "the administrator"};
    default:
        return {550, "5.7.1",
                "Not sent as De-Mail: this sender is blocked from sending De-Mail for now; ask the "
                "administrator"};
    }
}

} // namespace demail
