// What the tests of a submission's header share: one sender rule, one message, its new header.
#pragma once

#include "message/content.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace demail::test {

inline Address address(std::string_view text) {
    return *Address::parse(text);
}

/// Whatever the firm's people send as NAME@firm.example goes out as NAME@firm.de-mail.de.
inline const SenderRule &firm() {
    static const SenderRule rule = [] {
        SenderRule firm;
        firm.account = "firm";
        firm.from = *AddressPattern::parse("*@firm.example");
        firm.as = *AddressPattern::parse("*@firm.de-mail.de");
        return firm;
    }();
    return rule;
}

inline SubmissionMetadata plain_metadata() {
    return {address("anna@firm.de-mail.de"),
            {{address("bea@stadt.de-mail.de"), RecipientField::to}},
            OptionSet(),
            *PrivateId::parse("g1-0123456789abcdef0123456789abcdef01234567")};
}

inline std::variant<std::string, NotMappable>
header_of(std::string_view original, const SubmissionMetadata &metadata = plain_metadata()) {
    const Right right{std::make_shared<const SenderRule>(firm()), address("anna@firm.de-mail.de")};
    return submission_header(*parse_header(original), metadata, right,
                             address("anna@firm.example"));
}

/// The new header, or the sentence that says why there is none.
inline std::string text_of(std::string_view original,
                           const SubmissionMetadata &metadata = plain_metadata()) {
    auto made = header_of(original, metadata);
    if (const auto *fault = std::get_if<NotMappable>(&made)) return fault->sentence;
    return std::get<std::string>(made);
}

/// What is left of the sender's fields: the new header behind the metadata.
inline std::string senders_fields(std::string_view original) {
    const std::string text = text_of(original);
    const std::size_t last = text.find("x-de-mail-private-id: ");
    if (last == std::string::npos) return text;
    return text.substr(text.find("\r\n", last) + 2);
}

} // namespace demail::test
