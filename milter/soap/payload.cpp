#include "soap/payload.hpp"

#include "soap/document.hpp"
#include "soap/names.hpp"

#include <charconv>
#include <limits>
#include <string_view>

namespace demail::soap {

namespace {

// "" where an optional element is absent.
std::string field(const xmlNode *element, std::string_view name) {
    const xmlNode *child = only(element, names::provider, name);
    return child != nullptr ? text_of(child) : std::string();
}

// Of a type whose white space the schema collapses (xs:boolean, xs:dateTime, numbers).
std::string token(const xmlNode *element, std::string_view name) {
    const xmlNode *child = only(element, names::provider, name);
    return child != nullptr ? trimmed_text_of(child) : std::string();
}

// xs:unsignedLong allows a leading "+" (and so does xs:unsignedInt); too large a number is the
// largest.
template <typename Number>
Number number(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    Number value = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    return result.ec == std::errc::result_out_of_range ? std::numeric_limits<Number>::max() : value;
}

std::vector<std::string> texts(const xmlNode *element, std::string_view name) {
    std::vector<std::string> values;
    for (const xmlNode *child : elements(element, names::provider, name))
        values.push_back(text_of(child));
    return values;
}

std::vector<Rejected> rejected_of(const xmlNode *element) {
    std::vector<Rejected> all;
    for (const xmlNode *one : elements(element, names::provider, "rejected"))
        all.push_back({field(one, "address"), field(one, "code"), field(one, "reason")});
    return all;
}

} // namespace

Account read_account(const xmlNode *element) {
    Account account;
    account.holder = field(element, "holder");
    account.high_level = field(element, "authLevel") == "high";
    account.domains = texts(element, "domain");
    for (const std::string &right : texts(element, "right"))
        if (const auto option = option_named(right)) account.rights.set(*option);
    account.max_message_bytes = number<std::uint64_t>(token(element, "maxMessageBytes"));
    return account;
}

DirectoryEntry read_directory_entry(const xmlNode *element) {
    DirectoryEntry entry;
    entry.address = field(element, "address");
    const std::string exists = token(element, "exists");
    entry.exists = exists == "true" || exists == "1";
    const std::string level = token(element, "maxAuthLevel");
    if (!level.empty()) entry.high_level = level == "high";
    return entry;
}

Domains read_domains(const xmlNode *element) {
    Domains domains;
    domains.version = field(element, "version");
    const std::string unchanged = token(element, "unchanged");
    domains.unchanged = unchanged == "true" || unchanged == "1";
    domains.domains = texts(element, "domain");
    return domains;
}

Submitted read_submitted(const xmlNode *element) {
    Submitted submitted;
    submitted.private_id = field(element, "privateId");
    submitted.message_id = field(element, "messageId");
    submitted.accepted_at = token(element, "acceptedAt");
    submitted.rejected = rejected_of(element);
    return submitted;
}

Found read_submission(const xmlNode *element) {
    Found found;
    found.private_id = field(element, "privateId");
    found.message_id = field(element, "messageId");
    found.accepted_at = token(element, "acceptedAt");
    found.reason = field(element, "reason");
    found.rejected = rejected_of(element);
    const std::string state = field(element, "state");
    found.state = state == "accepted"  ? Found::State::accepted
                  : state == "refused" ? Found::State::refused
                                       : Found::State::unknown;
    return found;
}

Message read_message(const xmlNode *element) {
    return {field(element, "id"), 0};
}

Fault read_fault(const xmlNode *element) {
    Fault fault;
    fault.code = field(element, "code");
    fault.reason = field(element, "reason");
    const std::string seconds = token(element, "retryAfterSeconds");
    if (!seconds.empty()) fault.retry_after_seconds = number<std::uint32_t>(seconds);
    return fault;
}

} // namespace demail::soap
