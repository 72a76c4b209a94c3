#include "relay/admission.hpp"

#include "message/content.hpp"

#include <map>

namespace demail::relay {

namespace {

constexpr std::int64_t clock_skew_seconds = 300;

Reply no_seal(std::string text) {
    return {550, "5.7.0", std::move(text)};
}

std::variant<CheckedSeal, Reply> checked_seal(const HeaderFields &fields, const SealKeys &keys) {
    const std::size_t seals = count(fields, seal_field);
    if (seals == 0)
        return no_seal("Not sent as De-Mail: this message did not pass the De-Mail gateway's check "
                       "(an alias, a forward or a by-pass brought it here); write to the De-Mail "
                       "address directly");
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

std::variant<Admitted, Reply> admit(const AdmissionRules &rules, const HeaderFields &fields,
                                    const Digest256 &body_digest,
                                    const std::vector<std::string> &envelope_recipients,
                                    std::int64_t now) {
    auto checked = checked_seal(fields, rules.keys);
    if (auto *reply = std::get_if<Reply>(&checked)) return std::move(*reply);
    auto &[seal, key] = std::get<CheckedSeal>(checked);

    if (seal.time > now + clock_skew_seconds)
        return Reply{451, "4.7.0",
                     "The De-Mail seal is dated in the future; the administrator must set the "
                     "clocks of the mail hosts"};
    if (now - seal.time > rules.seal_lifetime.count())
        return no_seal("Not sent as De-Mail: the De-Mail seal is too old; send the message anew");
    if (!equal_constant_time(view(seal.body), view(body_digest)) ||
        !equal_constant_time(view(seal.fields), view(sealed_fields_digest(fields))))
        return Reply{550, "5.7.7",
                     "Not sent as De-Mail: the message was changed after the De-Mail gateway had "
                     "sealed it; ask the administrator which filter changes it"};

    const auto envelope_sender = Address::parse(seal.envelope_sender);
    if (!envelope_sender)
        return no_seal("Not sent as De-Mail: the De-Mail seal names no sender; send it anew");
    // Of several rules the one by which the header was sealed.
    auto answer = rules.senders.find_mapping(
        seal.account, *envelope_sender, seal.sender,
        [&](const Right &right) { return originators_map(fields, right, *envelope_sender); });
    if (answer.not_known)
        return Reply{451, "4.3.0",
                     "It cannot be told now whether this sender may still send De-Mail: a list of "
                     "senders is too old or cannot be read; the administrator must look"};
    auto &right = answer.right;
    if (!right)
        return Reply{550, "5.7.1",
                     "Not sent as De-Mail: this sender may no longer send De-Mail as this address; "
                     "ask the administrator"};

    std::vector<Address> sealed;
    Admitted admitted{std::move(seal), key, *right, *envelope_sender, {}, {}};
    std::vector<std::size_t> places;
    for (std::size_t place = 0; place < envelope_recipients.size(); ++place) {
        const auto address = Address::parse(envelope_recipients[place]);
        if (!address) {
            admitted.refused.push_back({place, {553, "5.1.3", "This is not a mail address"}});
        } else if (!admitted.seal.covers(*key, *address)) {
            admitted.refused.push_back(
                {place, no_seal("Not sent as De-Mail: the sender did not address this recipient "
                                "(an alias or a forward added it); write to the De-Mail address "
                                "directly")});
        } else {
            sealed.push_back(*address);
            places.push_back(place);
        }
    }
    // An address that stands twice in the envelope is one recipient: each place finds it again.
    std::map<std::string, Recipient> by_address;
    for (Recipient &one : classify(sealed, fields))
        by_address.emplace(one.address.lower(), one);
    for (std::size_t i = 0; i < sealed.size(); ++i)
        admitted.recipients.push_back({places[i], by_address.at(sealed[i].lower())});
    return admitted;
}

} // namespace demail::relay
