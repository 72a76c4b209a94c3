#include "relay/admission.hpp"

#include "message/content.hpp"
#include "message/seal_check.hpp"

#include <map>

namespace demail::relay {

std::variant<Admitted, Reply> admit(const AdmissionRules &rules, const HeaderFields &fields,
                                    const Digest256 &body_digest,
                                    const std::vector<std::string> &envelope_recipients,
                                    std::int64_t now) {
    auto checked = check_seal(fields, rules.keys, rules.seal_lifetime, now);
    if (auto *reply = std::get_if<Reply>(&checked)) return std::move(*reply);
    auto &[seal, key] = std::get<CheckedSeal>(checked);
    if (auto changed = check_sealed_body(seal, body_digest)) return *std::move(changed);

    const auto envelope_sender = Address::parse(seal.envelope_sender);
    if (!envelope_sender)
        return no_seal("Not sent as De-Mail: the De-Mail seal names no sender; send it anew");
    // Of several rules the one by which the header was sealed.
    auto answer = rules.senders.find_mapping(
        seal.account, *envelope_sender, seal.sender,
        [&](const Right &right) { return originators_map(fields, right, *envelope_sender); });
    std::optional<Reply> barred;
    if (answer.not_known)
        barred = {451, "4.3.0",
                  "It cannot be told now whether this sender may still send De-Mail: a list of "
                  "senders is too old or cannot be read; the administrator must look"};
    else if (!answer.right)
        barred = {550, "5.7.1",
                  "Not sent as De-Mail: this sender may no longer send De-Mail as this address; "
                  "ask the administrator"};

    std::vector<Address> sealed;
    Admitted admitted{std::move(seal),  key, answer.right.value_or(Right{}),
                      *envelope_sender, {},  {},
                      std::move(barred)};
    std::vector<std::size_t> places;
    for (std::size_t place = 0; place < envelope_recipients.size(); ++place) {
        const auto address = Address::parse(envelope_recipients[place]);
        if (!address) {
            admitted.refused.push_back({place, {553, "5.1.3", "This is not a mail address"}});
        } else if (!admitted.seal.covers(*key, *address)) {
            admitted.refused.push_back({place, not_addressed()});
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
