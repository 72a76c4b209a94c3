#include "relay/outcome.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace demail::relay {

namespace {

using journal::State;

constexpr std::uint32_t longest_pause_seconds = 3600;
constexpr std::size_t longest_quote = 200;

/// The provider's own words: printable ASCII, cut, quoted. SMTP texts are ASCII.
std::string quoted(std::string_view words) {
    if (words.empty()) return "";
    std::string text = ": \"";
    for (const char c : words.substr(0, longest_quote)) {
        if (c == '"')
            text += '\'';
        else
            text += c >= ' ' && c <= '~' ? c : '?';
    }
    if (words.size() > longest_quote) text += "...";
    return text + '"';
}

const OutcomeRow *row(std::string_view code) {
    const auto &table = fault_table();
    const auto found = std::find_if(table.begin(), table.end(),
                                    [&](const OutcomeRow &one) { return one.code == code; });
    return found == table.end() ? nullptr : &*found;
}

Reply reply_of(const OutcomeRow &row, std::string_view reason, std::string_view provider) {
    return {row.reply_code, std::string(row.enhanced),
            fmt::format(fmt::runtime(row.sentence), provider) + quoted(reason)};
}

} // namespace

const std::vector<OutcomeRow> &fault_table() {
    static const std::vector<OutcomeRow> table{
        {"unknown-recipient", State::refused, 550, "5.1.1",
         "The De-Mail provider {} does not know this recipient; check the address"},
        {"recipient-level", State::refused, 550, "5.7.1",
         "The recipient has not signed up at the level that this De-Mail asks for; send it without "
         "the option x-de-mail-private"},
        {"option-not-permitted", State::refused, 550, "5.7.1",
         "The De-Mail provider {} does not permit an option of this De-Mail; send it without the "
         "option or ask the administrator"},
        {"too-large", State::refused, 550, "5.3.4",
         "The De-Mail is larger than the De-Mail provider {} takes; send less"},
        {"malware", State::refused, 550, "5.7.1",
         "The De-Mail provider {} found malware in this De-Mail and did not send it"},
        {"invalid-message", State::refused, 550, "5.6.0",
         "The De-Mail provider {} says that this message is not valid; show this to the "
         "administrator"},
        {"unavailable", State::deferred, 451, "4.3.2",
         "The De-Mail provider {} cannot take De-Mails now; the gateway tries again"},
        {"daily-limit", State::deferred, 451, "4.3.2",
         "The De-Mail provider {} takes no more De-Mails today; the gateway tries again"},
        {"not-authorised", State::deferred, 451, "4.7.0",
         "The De-Mail provider {} refused our login; the De-Mail waits until the administrator has "
         "mended it"},
    };
    return table;
}

Outcome outcome_of(const soap::Fault &fault, std::string_view provider) {
    if (fault.code == "private-id-in-use")
        return {State::uncertain, reply_for_uncertain(provider), {}, false, true};
    const OutcomeRow *found = row(fault.code);
    if (found == nullptr)
        return outcome_of(soap::NoAnswer{"unknown fault " + fault.code}, provider);
    Outcome outcome{found->state, reply_of(*found, fault.reason, provider), {}, false, false};
    if (found->state == State::deferred)
        outcome.retry_after = std::chrono::seconds(
            std::min(fault.retry_after_seconds.value_or(0), longest_pause_seconds));
    outcome.suspend = fault.code == "not-authorised";
    return outcome;
}

Outcome outcome_of(const soap::NotSent &failure, std::string_view provider) {
    if (failure.login_refused) return outcome_of(soap::Fault{"not-authorised", {}, {}}, provider);
    return {State::deferred,
            {451, "4.4.1",
             fmt::format("The De-Mail provider {} cannot be reached; the gateway tries again",
                         provider)},
            {},
            false,
            false};
}

Outcome outcome_of(const soap::NoAnswer &, std::string_view provider) {
    return {State::uncertain, reply_for_uncertain(provider), {}, false, false};
}

Outcome outcome_of(const soap::TokenFault &, std::string_view) {
    return {State::deferred,
            {451, "4.3.0",
             "The De-Mail smartcard cannot sign now; the De-Mail waits until the administrator has "
             "unlocked or inserted it"},
            {},
            false,
            false};
}

Reply reply_for_rejected(std::string_view code, std::string_view reason,
                         std::string_view provider) {
    if (const OutcomeRow *found = row(code); found != nullptr && found->state == State::refused)
        return reply_of(*found, reason, provider);
    return {
        550, "5.7.1",
        fmt::format("The De-Mail provider {} did not take this recipient; ask the administrator",
                    provider) +
            quoted(reason)};
}

Outcome outcome_for_accepted(std::string_view message_id, std::string_view provider) {
    std::string id;
    for (const char c : message_id.substr(0, longest_quote))
        id += c > ' ' && c <= '~' ? c : '?';
    return {State::accepted,
            {250, "2.0.0", fmt::format("Accepted by the De-Mail provider {} as {}", provider, id)},
            {},
            false,
            false};
}

Outcome outcome_for_refused(Reply reply) {
    return {State::refused, std::move(reply), {}, false, false};
}

Outcome outcome_for_option(Option option, std::string_view account, std::string_view why,
                           std::string_view provider) {
    return outcome_for_refused(
        {550, "5.7.1",
         fmt::format("The De-Mail provider {} does not permit the option {} of this De-Mail, since "
                     "the account {} {}; send it without the option or ask the administrator",
                     provider, name(option), account, why)});
}

Outcome outcome_for_size(std::uint64_t bytes, std::uint64_t most, std::string_view provider) {
    return outcome_for_refused(
        {550, "5.3.4",
         fmt::format(
             "The De-Mail has {} bytes, more than the {} that the De-Mail provider {} takes; "
             "send less",
             bytes, most, provider)});
}

Reply reply_for_uncertain(std::string_view provider) {
    return {451, "4.4.2",
            fmt::format("The De-Mail provider {} did not say whether it took this De-Mail: it is "
                        "being looked up; do not send again",
                        provider)};
}

Reply reply_for_store() {
    return {451, "4.3.1",
            "The De-Mail gateway cannot keep its journal or evidence now; the De-Mail waits until "
            "the administrator has mended that"};
}

Outcome outcome_for_store() {
    return {State::deferred, reply_for_store(), {}, false, false};
}

} // namespace demail::relay
