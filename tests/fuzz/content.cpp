// The header of a submission, made of a hostile one. The first byte chooses the options; then comes
// the sender's header block.
#include "message/content.hpp"

#include "base/digest.hpp"
#include "fuzz.hpp"
#include "message/ascii.hpp"
#include "message/display_name.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>

namespace demail::fuzz {
namespace {

const Address &address_of(const char *text) {
    static std::map<std::string, Address> known;
    return known.try_emplace(text, *Address::parse(text)).first->second;
}

const SenderRule &rule(bool own_login) {
    static const auto made = [](const char *login) {
        SenderRule rule;
        rule.account = "firm";
        rule.from = *AddressPattern::parse("*@firm.example");
        rule.as = *AddressPattern::parse("*@firm.de-mail.de");
        rule.login = login;
        return rule;
    };
    static const SenderRule any = made("any"), own = made("*");
    return own_login ? own : any;
}

PrivateId private_id(const HeaderFields &fields) {
    static const SealKey key("k", std::string(32, 'k'));
    const auto id = PrivateId::make(key, Nonce{}, "visible", user_private_id(fields));
    const std::string &text = id.str();
    HOLDS(text.size() <= 1024 && text.starts_with("g1-"));
    HOLDS(std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }));
    HOLDS(PrivateId::parse(text) == id);
    return id;
}

std::vector<Recipient> recipients(const HeaderFields &fields) {
    const std::vector<Address> envelope{
        address_of("bea@stadt.de-mail.de"), address_of("cem@stadt.de-mail.de"),
        address_of("dora@stadt.de-mail.de"), address_of("BEA@stadt.de-mail.de")};
    const auto sorted = classify(envelope, fields);
    HOLDS(sorted.size() == 3);
    for (const Recipient &one : sorted) {
        // Who stands in neither field is nobody else's to know of.
        const std::string part_class = submission_class(one);
        HOLDS((one.field == RecipientField::bcc) == (part_class != "visible"));
    }
    return sorted;
}

bool written_by_us(const HeaderField &field) {
    return reads_as_demail(field.name) || field.is("From") || field.is("Sender") ||
           field.is("Reply-To");
}

bool stays(const HeaderField &field) {
    for (const char *gone :
         {"Bcc", "Received", "Return-Path", "DKIM-Signature", "Authentication-Results",
          "Disposition-Notification-To", "Delivered-To", "Envelope-To"})
        if (field.is(gone)) return false;
    return !written_by_us(field);
}

void lines_fit(const HeaderField &field) {
    const std::string text = field.name + ':' + field.value;
    Input lines(text);
    for (bool first = true; !lines.rest().empty(); first = false) {
        const std::string_view line = lines.until('\n');
        HOLDS(line.size() <= 999); // the CR is one of it
        HOLDS(first || ascii::blank(line.front()));
    }
}

void names_the_sender_alone(const HeaderFields &fields, const SubmissionMetadata &metadata) {
    HOLDS(count(fields, "From") == 1);
    HOLDS(count(fields, "Sender") <= 1 && count(fields, "Reply-To") <= 1);
    for (const char *name : {"From", "Sender", "Reply-To"}) {
        const HeaderField *field = topmost(fields, name);
        if (field == nullptr) continue;
        const auto mailboxes = parse_mailboxes(field->value);
        HOLDS(mailboxes && mailboxes->size() == 1);
        const Mailbox &mailbox = mailboxes->front();
        HOLDS(mailbox.address.domain() == "firm.de-mail.de");
        HOLDS(!field->is("From") || mailbox.address == metadata.sender);
        HOLDS(!holds_at_sign(mailbox.display_name));
        HOLDS(std::count(field->value.begin(), field->value.end(), '@') == 1);
    }
}

void carries_the_metadata_alone(const HeaderFields &fields, const SubmissionMetadata &metadata) {
    std::set<std::string> seen;
    for (const HeaderField &field : fields) {
        if (!reads_as_demail(field.name)) continue;
        HOLDS(field.name.starts_with("x-de-mail-") && seen.insert(field.name).second);
        lines_fit(field);
    }
    HOLDS(seen.size() == 8);
    for (const Option option : all_options)
        HOLDS(topmost(fields, "x-de-mail-" + std::string(name(option)))->unfolded() ==
              (metadata.options.has(option) ? "yes" : "no"));
    HOLDS(topmost(fields, "x-de-mail-sender")->unfolded() == metadata.sender.lower());
    HOLDS(topmost(fields, "x-de-mail-private-id")->unfolded() == metadata.private_id.str());
    HOLDS(topmost(fields, "Subject") != nullptr);
}

void keeps_the_rest(const HeaderFields &original, const HeaderFields &made) {
    auto at = made.begin();
    for (const HeaderField &field : original) {
        if (!stays(field)) continue;
        at = std::find_if(at, made.end(), [&](const HeaderField &one) {
            return one.name == field.name && one.value == field.value;
        });
        HOLDS(at != made.end());
        ++at;
    }
    for (const HeaderField &field : made)
        HOLDS(written_by_us(field) || stays(field));
}

// What has the De-Mail address already is not written anew.
void stays_as_it_is(const HeaderFields &fields, const SubmissionMetadata &metadata,
                    const Right &right, const Address &envelope_sender) {
    for (const char *name : {"Sender", "Reply-To"}) {
        const HeaderField *field = topmost(fields, name);
        // Another address of the firm, which is no longer one of those that the rule maps.
        if (field != nullptr &&
            !(parse_mailboxes(field->value)->front().address == metadata.sender))
            return;
    }
    const auto made = submission_header(fields, metadata, right, envelope_sender);
    HOLDS(std::holds_alternative<std::string>(made));
    const auto again = parse_header(std::get<std::string>(made));
    HOLDS(again && again->size() == fields.size());
    for (const HeaderField &field : fields)
        HOLDS(std::any_of(again->begin(), again->end(), [&](const HeaderField &one) {
            return one.name == field.name && one.value == field.value;
        }));
}

} // namespace

void content(std::string_view text) {
    Input input(text);
    const std::uint8_t choices = input.byte();
    const auto fields = parse_header(input.rest());
    if (!fields) return;
    OptionSet options;
    for (const Option option : all_options)
        options.set(option, (choices >> static_cast<unsigned>(option) & 1U) != 0);
    HOLDS(OptionSet::parse(options.str()) == options);
    const SubmissionMetadata metadata{address_of("anna@firm.de-mail.de"), recipients(*fields),
                                      options, private_id(*fields)};
    const Right right{&rule((choices & 0x80U) != 0), metadata.sender};
    const Address &envelope_sender = address_of("anna@firm.example");
    const auto made = submission_header(*fields, metadata, right, envelope_sender);
    if (const auto *fault = std::get_if<NotMappable>(&made)) {
        const std::string &sentence = fault->sentence;
        HOLDS(std::all_of(sentence.begin(), sentence.end(),
                          [](char c) { return c >= ' ' && c <= '~'; }));
        return;
    }
    const auto &header = std::get<std::string>(made);
    HOLDS(header.ends_with("\r\n\r\n"));
    const auto again = parse_header(header);
    HOLDS(again.has_value());
    names_the_sender_alone(*again, metadata);
    carries_the_metadata_alone(*again, metadata);
    keeps_the_rest(*fields, *again);
    stays_as_it_is(*again, metadata, right, envelope_sender);
}

} // namespace demail::fuzz
