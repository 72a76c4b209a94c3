#include "relay/obstacle.hpp"

#include "base/log.hpp"
#include "message/preconditions.hpp"

#include <algorithm>

namespace demail::relay {

namespace {

bool any_of(const OptionSet &options, bool (*needs)(Option) noexcept) {
    return std::any_of(all_options.begin(), all_options.end(),
                       [&](Option one) { return options.has(one) && needs(one); });
}

Obstacle option_obstacle(Option option, const Account &account, std::string_view why) {
    return {outcome_for_option(option, account.name(), why, account.provider()),
            std::string(name(option)) + ": the account " + std::string(why)};
}

/// The code of the refusal that this answer is for the recipient; nullptr where it is none.
const char *refusal_in(const soap::DirectoryEntry &entry, bool level_high) {
    if (!entry.exists) return "unknown-recipient";
    if (level_high && entry.high_level == false) return "recipient-level";
    return nullptr;
}

} // namespace

std::optional<Obstacle> obstacle_of_account(const soap::Account &said, const OptionSet &options,
                                            std::uint64_t bytes, const Account &account) {
    for (const Option option : all_options) {
        if (!options.has(option)) continue;
        if (sender_needs_level_high(option) && !said.high_level)
            return option_obstacle(option, account, "is not at level high");
        if (!said.rights.has(option)) return option_obstacle(option, account, "has no right to it");
    }
    if (said.max_message_bytes != 0 && bytes > said.max_message_bytes)
        return Obstacle{outcome_for_size(bytes, said.max_message_bytes, account.provider()),
                        "over the account's limit"};
    return std::nullopt;
}

std::optional<Obstacle> obstacle_of_directory(Account &account,
                                              const std::vector<Recipient> &recipients,
                                              const OptionSet &options) {
    const bool level_high = any_of(options, recipient_needs_level_high);
    if (account.look_ups() == LookUps::never ||
        (account.look_ups() == LookUps::for_private && !level_high))
        return std::nullopt;
    std::vector<Reply> each;
    for (const Recipient &recipient : recipients) {
        const auto answer = account.look_up(recipient.address);
        if (!answer) return std::nullopt;
        if (const auto *entry = std::get_if<soap::DirectoryEntry>(&*answer)) {
            const char *code = refusal_in(*entry, level_high);
            if (code == nullptr) return std::nullopt; // one can have it
            each.push_back(reply_for_rejected(code, "", account.provider()));
            continue;
        }
        if (const auto *fault = std::get_if<soap::Fault>(&*answer);
            fault != nullptr &&
            outcome_of(*fault, account.provider()).state != journal::State::deferred)
            return std::nullopt; // a directory that cannot be asked this way: Submit will tell
        if (const auto *none = std::get_if<soap::NoAnswer>(&*answer);
            none != nullptr && !none->login_refused)
            return std::nullopt;
        return no_answer(*answer, "LookupRecipient", account.provider());
    }
    if (each.empty()) return std::nullopt;
    return Obstacle{outcome_for_refused(each.front()), "says the provider's directory",
                    std::move(each)};
}

} // namespace demail::relay
