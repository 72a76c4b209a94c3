#include "programs/ctl_block.hpp"

#include "admin/senders.hpp"
#include "base/log.hpp"
#include "message/ascii.hpp"
#include "programs/ctl_evidence.hpp"
#include "programs/ctl_screen.hpp"
#include "programs/history_time.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

namespace demail::ctl {

namespace {

using nlohmann::ordered_json;

std::string dumped(const ordered_json &value) {
    return value.dump(2, ' ', true, ordered_json::error_handler_t::replace) + "\n";
}

int refuse(const std::string &sentence, bool json, int code) {
    return evidence_refusal(sentence, json, code);
}

/// By the login that the kernel remembers behind su and sudo.
std::string who_acts() {
    const unsigned uid = acting_user();
    const passwd *entry = ::getpwuid(uid);
    return entry != nullptr ? entry->pw_name : fmt::format("uid {}", uid);
}

/// What the words name, or a sentence.
std::variant<Block, std::string> block_of(const BlockWords &words) {
    Block block;
    if (words.all + !words.account.empty() + !words.address.empty() != 1)
        return "name one: an address, --account ACCOUNT, or --all";
    if (words.all) return block;
    if (!words.account.empty()) {
        block.what = Block::What::account;
        block.value = words.account;
        return block;
    }
    const auto address = Address::parse(words.address);
    if (!address) return "\"" + words.address + "\" is not an address";
    block.what = Block::What::address;
    block.value = address->lower();
    return block;
}

/// A block that catches nobody is a mistake in writing, most likely.
std::string doubt_about(const Configuration &configuration, const Block &block) {
    if (block.what != Block::What::address) return {};
    const std::string domain = block.value.substr(block.value.rfind('@') + 1);
    const bool de_mail = std::any_of(configuration.accounts.begin(), configuration.accounts.end(),
                                     [&](const AccountConfiguration &one) {
                                         return std::find(one.domains.begin(), one.domains.end(),
                                                          domain) != one.domains.end();
                                     });
    if (de_mail || Senders(configuration, nullptr).now()->names_domain(domain)) return {};
    return "no rule lets anybody send from " + domain + ": see whether the address is right";
}

int said(const Block &block, const std::string &sentence, const std::string &doubt, bool json,
         bool good) {
    if (json) {
        auto answer = json_of(block);
        answer["done"] = sentence;
        answer["doubt"] = doubt.empty() ? ordered_json() : ordered_json(doubt);
        if (!print(dumped(answer))) return exit_unavailable;
    } else {
        if (!print(visible(name_of(block) + " " + sentence) + "\n")) return exit_unavailable;
        if (!doubt.empty()) complain(doubt);
    }
    return good ? exit_good : exit_bad;
}

void log_act(std::string_view event, const Block &block) {
    log::event(log::Level::notice, event,
               {{"what", word(block.what)},
                {"value", block.value},
                {"by", block.by},
                {"reason", block.reason}});
}

} // namespace

ordered_json json_of(const Block &block) {
    return {{"what", word(block.what)},
            {"value", block.value},
            {"since", write_time(block.since * 1'000'000)},
            {"by", block.by},
            {"reason", block.reason}};
}

std::string name_of(const Block &block) {
    switch (block.what) {
    case Block::What::all:
        return "everybody";
    case Block::What::account:
        return "account " + block.value;
    default:
        return block.value;
    }
}

std::string story_of(const Block &block) {
    return fmt::format("blocked since {} by {}{}", moment(block.since), block.by,
                       block.reason.empty() ? "" : ": " + block.reason);
}

Finding look_at_blocks(const Configuration &configuration) {
    const auto read = read_blocks(configuration.blocks);
    if (const auto *sentence = std::get_if<std::string>(&read))
        return {"blocks", Verdict::bad, *sentence + " De-Mails are answered 451"};
    const auto &all = std::get<Blocks>(read).all();
    if (all.empty()) return {"blocks", Verdict::good, "nobody is blocked"};
    constexpr std::size_t named = 5;
    std::string names;
    std::size_t count = 0;
    for (const auto &[key, block] : all)
        if (count++ < named) names += (names.empty() ? "" : ", ") + name_of(block);
    if (count > named) names += fmt::format(" and {} more", count - named);
    return {"blocks", Verdict::good, names + " blocked, see demailctl block"};
}

int list_blocks(const Configuration &configuration, bool json) {
    const auto read = read_blocks(configuration.blocks);
    if (const auto *sentence = std::get_if<std::string>(&read))
        return refuse(*sentence, json, exit_bad);
    const auto &all = std::get<Blocks>(read).all();
    ordered_json blocks = ordered_json::array();
    Table table({"BLOCKED", "SINCE", "BY", "REASON"});
    for (const auto &[key, block] : all) {
        blocks.push_back(json_of(block));
        table.add({{name_of(block), Tone::bad}, moment(block.since), block.by, block.reason});
    }
    const std::string text =
        all.empty() ? "nobody is blocked\n" : table.str(Screen::of(STDOUT_FILENO));
    const std::string whole =
        dumped({{"file", configuration.blocks}, {"blocks", std::move(blocks)}});
    return print(json ? whole : text) ? exit_good : exit_unavailable;
}

int block(const Configuration &configuration, const BlockWords &words, bool json) {
    auto wish = block_of(words);
    if (const auto *sentence = std::get_if<std::string>(&wish))
        return refuse(*sentence, json, exit_usage);
    auto &block = std::get<Block>(wish);
    const bool known_account =
        std::any_of(configuration.accounts.begin(), configuration.accounts.end(),
                    [&](const AccountConfiguration &one) { return one.name == block.value; });
    if (block.what == Block::What::account && !known_account)
        return refuse("there is no account \"" + block.value + "\"", json, exit_usage);
    block.since = std::time(nullptr);
    block.by = who_acts();
    block.reason = ascii::trim(words.reason);
    const std::string doubt = doubt_about(configuration, block);
    bool before = false;
    std::string objection;
    const auto fault = change_blocks(configuration.blocks, [&](Blocks &blocks) {
        if (const Block *known = blocks.find(block.what, block.value)) {
            before = true;
            block = *known;
            return false;
        }
        objection = blocks.add(block);
        return objection.empty();
    });
    if (fault) return refuse(*fault, json, exit_unavailable);
    if (!objection.empty()) return refuse("not blocked: " + objection, json, exit_usage);
    if (before) return said(block, "was " + story_of(block), doubt, json, true);
    log::open_record("demailctl");
    log_act("blocked", block);
    return said(block, "is blocked: new De-Mails are refused, and those that wait in the queue",
                doubt, json, true);
}

int unblock(const Configuration &configuration, const BlockWords &words, bool json) {
    auto wish = block_of(words);
    if (const auto *sentence = std::get_if<std::string>(&wish))
        return refuse(*sentence, json, exit_usage);
    auto &block = std::get<Block>(wish);
    bool removed = false;
    const auto fault = change_blocks(configuration.blocks, [&](Blocks &blocks) {
        const Block *known = blocks.find(block.what, block.value);
        if (known == nullptr) return false;
        block = *known;
        removed = blocks.remove(block.what, block.value);
        return removed;
    });
    if (fault) return refuse(*fault, json, exit_unavailable);
    if (!removed) return said(block, "was not blocked", "", json, false);
    log::open_record("demailctl");
    Block act = block;
    act.by = who_acts();
    act.reason = ascii::trim(words.reason);
    log_act("unblocked", act);
    return said(block, "is no longer " + story_of(block), "", json, true);
}

} // namespace demail::ctl
