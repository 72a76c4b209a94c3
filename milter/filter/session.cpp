#include "filter/session.hpp"

#include "filter/author.hpp"
#include "filter/automatic.hpp"
#include "filter/subject_flags.hpp"
#include "message/ascii.hpp"
#include "message/seal_check.hpp"

#include <algorithm>
#include <array>

namespace demail::filter {
namespace {

/// A message with more De-Mail recipients goes in parts, as RFC 5321 4.5.3.1.10 has it. Keeps the
/// seal's `r` below 64 KiB.
constexpr std::size_t recipient_limit = 4096;
/// Of the fields that decide something. Postfix cuts one field at 60 kB, but sets no limit to all.
constexpr std::size_t field_limit = std::size_t{1} << 20;

/// The fields that the seal covers or the rules look at.
bool decides(std::string_view name) {
    static constexpr std::array<std::string_view, 8> sealed{
        "From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID"};
    constexpr std::string_view resent = "resent-";
    return std::any_of(sealed.begin(), sealed.end(),
                       [&](std::string_view one) { return ascii::equal(name, one); }) ||
           ascii::equal(name.substr(0, resent.size()), resent) || can_tell_automatic(name) ||
           reads_as_demail(name);
}

std::string_view without_brackets(std::string_view text) {
    if (text.size() >= 2 && text.front() == '<' && text.back() == '>')
        return text.substr(1, text.size() - 2);
    return text;
}

Reply no_right(const std::string &sender, const std::string &login) {
    std::string text = sender;
    if (login.empty())
        text += " may not send De-Mail from this client without a login; log in, or ask the "
                "administrator for a rule.";
    else
        text += " may not send De-Mail from this client with the login " + login +
                "; write from the address that belongs to the login, or ask the administrator for "
                "a rule.";
    return {550, "5.7.1", std::move(text)};
}

Reply refused(std::string sentence) {
    return {550, "5.7.1", std::move(sentence)};
}

Reply rules_not_known() {
    return {451, "4.3.0",
            "It cannot be told now whether this sender may send De-Mail: a list of senders is too "
            "old or cannot be read; try again later, or ask the administrator."};
}

Reply header_missing() {
    return {451, "4.3.0",
            "The mail server ended this message without its header; try again later."};
}

} // namespace

void Session::begin() {
    if (message_.settings) return;
    message_.settings = around_.settings.get();
}

void Session::mail(std::string_view sender, const Client &client) {
    message_ = Message{};
    begin();
    message_.sender = without_brackets(sender);
    message_.login = client.login;
    message_.client = IpAddress::parse(client.address);
    // cleanup(8) passes sendmail(1) on with a queue id, the loopback address and port 0. smtpd(8)
    // has no queue id yet (on a Unix socket the rest is the same); QMQP's mail has its client's
    // address.
    message_.local = !client.queue_id.empty() && client.daemon_port == "0" && message_.client &&
                     message_.client->loopback();
    const auto &filters = message_.settings->reinjection;
    message_.reinjecting = message_.client && !message_.local &&
                           std::any_of(filters.begin(), filters.end(), [&](const Network &one) {
                               return one.contains(*message_.client);
                           });
}

std::optional<Reply> Session::recipient(std::string_view text, std::string_view queue_id) {
    begin();
    auto reply = judge_recipient(text);
    if (!reply) return std::nullopt;
    if (message_.local && !observing()) {
        // sendmail(1) has nobody to answer at RCPT: the first fault speaks for the message.
        if (message_.held_refusal) return std::nullopt;
        message_.held_refusal = std::move(reply);
        message_.held_recipient = text;
        return std::nullopt;
    }
    log_refused(around_.events, subject(queue_id), text, *reply);
    if (observing()) return std::nullopt;
    return reply;
}

std::optional<Reply> Session::judge_recipient(std::string_view text) {
    Message &message = message_;
    if (!message.domains) message.domains = message.settings->domains->now();
    RecipientReading reading = read_recipient(text, *message.domains, message.settings->ended,
                                              day_of(around_.unix_time()));
    switch (reading.kind) {
    case RecipientKind::ordinary:
        if (message.settings->refuse_mixed_recipients && is_demail())
            return refused("De-Mail and Internet recipients may not be mixed in one message here; "
                           "send two messages.");
        message.ordinary_recipients = true;
        return std::nullopt;
    case RecipientKind::demail:
        return judge_demail_recipient(std::move(*reading.address));
    case RecipientKind::too_long:
        // From sendmail(1) it is the provider's to refuse, alone.
        if (message.local) return judge_demail_recipient(std::move(*reading.address));
        return refusal(reading);
    case RecipientKind::ended:
    case RecipientKind::hinted:
    case RecipientKind::malformed:
        // From sendmail(1) it goes unsealed: the relay, or Postfix itself, bounces it alone.
        if (message.local) return std::nullopt;
        return refusal(reading);
    default:
        return refusal(reading);
    }
}

std::optional<Reply> Session::judge_demail_recipient(Address address) {
    Message &message = message_;
    if (!message.right) {
        auto reply = find_right();
        // What comes back with its seal needs no right, and is asked for one where it has none.
        if (reply && !message.reinjecting) return reply;
        // From sendmail(1) it goes unsealed, and the relay bounces it with the reason.
        if (!message.right && !message.reinjecting) return std::nullopt;
    }
    if (message.reinjecting)
        message.firewall.keep(seal_field);
    else if (auto reply = bar())
        return reply;
    if (message.settings->refuse_mixed_recipients && message.ordinary_recipients)
        return refused("De-Mail and Internet recipients may not be mixed in one message here; send "
                       "two messages.");
    if (message.demail_recipients.size() == recipient_limit) {
        const char *text = "Too many De-Mail recipients in one message; send the rest in another.";
        // RFC 5321 4.5.3.1.10. What cannot be sent in parts is not to be tried again.
        return message.local ? Reply{550, "5.5.3", text} : Reply{452, "4.5.3", text};
    }
    message.demail_recipients.push_back(std::move(address));
    return std::nullopt;
}

Submitter Session::submitter() const {
    return {message_.envelope_sender, message_.login, message_.client, message_.local};
}

/// Leaves message_.right empty where there is none and that is not to be answered.
std::optional<Reply> Session::find_right() {
    Message &message = message_;
    if (!message.envelope_sender) message.envelope_sender = Address::parse(message.sender);
    if (!message.rules) message.rules = message.settings->rules();
    auto answer = message.rules->find(submitter());
    if (answer.not_known) return rules_not_known();
    message.right = std::move(answer.right);
    if (message.right || (message.local && !observing())) return std::nullopt;
    if (message.sender.empty())
        return refused("De-Mail takes no message from the null sender <>, to which nothing could "
                       "be reported; send it from an address of your own.");
    return no_right(message.sender, message.login);
}

/// What comes from sendmail(1) has nobody to answer: the relay looks at the blocks again and
/// bounces it to its sender, for the De-Mail recipients alone.
std::optional<Reply> Session::bar() const {
    if (message_.local) return std::nullopt;
    return message_.settings->blocks->bar(*message_.right, *message_.envelope_sender);
}

/// The letter may be another's, for whom the submitter writes: a rule of its own says so.
std::optional<Reply> Session::judge_author() {
    Message &message = message_;
    auto objection = objection_to_author(message.fields, *message.right, *message.envelope_sender);
    if (!objection) return std::nullopt;
    if (const auto author = author_of(message.fields)) {
        auto answer = message.rules->find_delegation(submitter(), *author);
        if (answer.not_known) return rules_not_known();
        if (answer.right) {
            message.right = std::move(answer.right);
            objection =
                objection_to_author(message.fields, *message.right, *message.envelope_sender);
        }
    }
    return objection ? std::optional(refused(std::move(objection->sentence))) : std::nullopt;
}

void Session::header(std::string_view name, std::string_view value) {
    message_.firewall.see(name, is_demail());
    if (!is_demail() || !decides(name)) return;
    message_.field_octets += name.size() + value.size();
    if (message_.field_octets > field_limit) return;
    message_.fields.push_back({std::string(name), std::string(value)});
}

std::optional<Reply> Session::judge_header() {
    Message &message = message_;
    if (message.held_refusal) return message.held_refusal;
    if (message.firewall.over_limit())
        return Reply{550, "5.6.0",
                     "The message has hundreds of De-Mail fields in its header, which "
                     "no honest message has."};
    if (!is_demail()) return std::nullopt;
    if (message.field_octets > field_limit)
        return Reply{550, "5.6.0",
                     "The header is too large for a De-Mail; send the message to "
                     "fewer recipients at a time."};
    if (message.reinjecting && count(message.fields, seal_field) > 0) return judge_brought_seal();
    if (!message.right) return find_right().value_or(no_right(message.sender, message.login));
    if (auto reply = judge_author()) return reply;
    if (auto reply = bar()) return reply; // the letter may be another's than RCPT thought
    if (auto objection = objection_to_automatic(message.fields, *message.right->rule))
        return refused(std::move(objection->sentence));
    return judge_options();
}

std::optional<Reply> Session::judge_options() {
    Message &message = message_;
    const auto subject = std::find_if(message.fields.begin(), message.fields.end(),
                                      [](const HeaderField &field) { return field.is("Subject"); });
    SubjectFlags flags;
    if (message.settings->subject_flags && subject != message.fields.end()) {
        auto read = read_subject_flags(subject->value);
        if (auto *objection = std::get_if<Objection>(&read))
            return refused(std::move(objection->sentence));
        flags = std::get<SubjectFlags>(std::move(read));
    }
    auto options =
        options_asked(message.fields, flags, *message.right->rule, message.right->sender);
    if (auto *objection = std::get_if<Objection>(&options))
        return refused(std::move(objection->sentence));
    message.options = std::get<OptionSet>(options);
    if (flags.rest) {
        subject->value = *std::move(flags.rest); // what is sealed
        message.subject = HeaderField{std::string(ascii::trim(subject->name)), subject->value};
    }
    return std::nullopt;
}

/// The seal is the identity here: whoever brings it, it is this message, from this sender, once.
std::optional<Reply> Session::judge_brought_seal() {
    Message &message = message_;
    auto checked = check_seal(message.fields, message.settings->keys,
                              message.settings->seal_lifetime, around_.unix_time());
    if (auto *reply = std::get_if<Reply>(&checked)) return std::move(*reply);
    auto &held = std::get<CheckedSeal>(checked);
    for (const Address &one : message.demail_recipients)
        if (!held.seal.covers(*held.key, one)) return not_addressed();
    message.brought = std::move(held.seal);
    return std::nullopt;
}

std::variant<AfterHeader, Reply> Session::end_of_header(std::string_view queue_id) {
    begin();
    Message &message = message_;
    if (auto reply = judge_header()) {
        log_refused(around_.events, subject(queue_id), message.held_recipient, *reply);
        if (!observing()) return *reply;
        return AfterHeader::let_go;
    }
    if (observing()) {
        log_changes(queue_id);
        return AfterHeader::let_go;
    }
    if (is_demail()) {
        message.body.emplace();
        return AfterHeader::take_body;
    }
    return message.firewall.anything_to_remove() ? AfterHeader::skip_body : AfterHeader::let_go;
}

void Session::body(std::string_view piece) {
    if (message_.body) message_.body->update(piece);
}

std::string Session::make_seal() {
    Message &message = message_;
    const SealKey &key = message.settings->keys.sealing();
    Seal seal;
    seal.time = around_.unix_time();
    seal.n = new_nonce();
    seal.account = message.right->rule->account;
    seal.sender = message.right->sender;
    seal.envelope_sender = message.sender;
    seal.options = message.options;
    seal.tags = recipient_tags(key, seal.n, message.demail_recipients);
    seal.fields = sealed_fields_digest(message.fields);
    seal.body = message.body->finish();
    return write_seal(seal, key);
}

std::variant<Changes, Reply> Session::end_of_message(std::string_view queue_id) {
    begin();
    Changes changes;
    if (observing()) return changes;
    // No honest MTA: nobody has judged the header.
    if (is_demail() && !message_.body) return header_missing();
    changes.removals = message_.firewall.removals();
    if (message_.brought) {
        if (auto reply = check_sealed_body(*message_.brought, message_.body->finish())) {
            log_refused(around_.events, subject(queue_id), "", *reply);
            return *std::move(reply);
        }
    } else if (message_.body) {
        changes.subject = message_.subject;
        changes.seal = make_seal();
    }
    if (message_.body) changes.sender = '<' + message_.sender + '>';
    return changes;
}

void Session::changes_made(std::string_view queue_id) {
    if (!observing()) log_changes(queue_id);
    abort();
}

void Session::abort() {
    message_ = Message{};
}

EventSubject Session::subject(std::string_view queue_id) const {
    std::string_view account;
    if (message_.brought)
        account = message_.brought->account;
    else if (message_.right)
        account = message_.right->rule->account;
    return {queue_id, account, message_.sender, observing()};
}

void Session::log_changes(std::string_view queue_id) {
    if (message_.firewall.anything_to_remove())
        log_stripped(around_.events, subject(queue_id), message_.firewall);
    if (message_.brought)
        log_reinjected(around_.events, subject(queue_id), message_.brought->sender.lower(),
                       message_.demail_recipients.size());
    else if (is_demail())
        log_sealed(around_.events, subject(queue_id), message_.right->sender.lower(),
                   message_.demail_recipients.size());
}

} // namespace demail::filter
