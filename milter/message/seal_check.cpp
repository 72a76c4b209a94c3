#include "message/seal_check.hpp"

#include <utility>

namespace demail {

namespace {

constexpr std::int64_t clock_skew_seconds = 300;

Reply changed() {
    return {550, "5.7.7",
            "Not sent as De-Mail: the message was changed after the De-Mail gateway had sealed it; "
            "ask the administrator which filter changes it"};
}

std::variant<CheckedSeal, Reply> only_seal(const HeaderFields &fields, const SealKeys &keys) {
    const std::size_t seals = count(fields, seal_field);
    if (seals == 0)
        return no_seal("Not sent as De-Mail: this message did not pass the De-Mail gateway's check "
                       "(an alias, a forward, a program on the mail server that has no rule, or a "
                       "by-pass brought it here); write to the De-Mail address directly, or ask "
                       "the administrator");
    if (seals > 1)
        return no_seal("Not sent as De-Mail: the message carries more than one De-Mail seal; send "
                       "it anew");
    auto read = read_seal(topmost(fields, seal_field)->value, keys);
    if (auto *checked = std::get_if<CheckedSeal>(&read)) return std::move(*checked);
    switch (std::get<SealFault>(read)) {
    case SealFault::unknown_key:
        return Reply{451, "4.7.0",
                     "The De-Mail seal was made with a key that this host does not have; the "
                     "administrator must copy the seal key"};
    case SealFault::malformed:
    case SealFault::forged:
        break;
    }
    return no_seal("Not sent as De-Mail: the De-Mail seal is damaged or forged; send the message "
                   "anew");
}

} // namespace

std::variant<CheckedSeal, Reply> check_seal(const HeaderFields &fields, const SealKeys &keys,
                                            std::chrono::seconds lifetime, std::int64_t now) {
    auto checked = only_seal(fields, keys);
    if (std::holds_alternative<Reply>(checked)) return checked;
    const Seal &seal = std::get<CheckedSeal>(checked).seal;
    if (seal.time > now + clock_skew_seconds)
        return Reply{451, "4.7.0",
                     "The De-Mail seal is dated in the future; the administrator must set the "
                     "clocks of the mail hosts"};
    if (now - seal.time > lifetime.count())
        return no_seal("Not sent as De-Mail: the De-Mail seal is too old; send the message anew");
    if (!equal_constant_time(view(seal.fields), view(sealed_fields_digest(fields))))
        return changed();
    return checked;
}

std::optional<Reply> check_sealed_body(const Seal &seal, const Digest256 &body) {
    if (equal_constant_time(view(seal.body), view(body))) return std::nullopt;
    return changed();
}

Reply not_addressed() {
    return no_seal("Not sent as De-Mail: the sender did not address this recipient (an alias or a "
                   "forward added it); write to the De-Mail address directly");
}

Reply no_seal(std::string sentence) {
    return {550, "5.7.0", std::move(sentence)};
}

} // namespace demail
