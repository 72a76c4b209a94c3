// What a submission's content is (contracts.md): the sender's bytes with a new header; the body is
// untouched and never copied. Pure, thread-safe.
#pragma once

#include "message/header.hpp"
#include "message/options.hpp"
#include "message/private_id.hpp"
#include "message/recipients.hpp"
#include "message/rights.hpp"

#include <string>
#include <variant>
#include <vector>

namespace demail {

struct SubmissionMetadata {
    Address sender;
    std::vector<Recipient> recipients; ///< of this submission alone
    OptionSet options;
    PrivateId private_id;
};

/// The new header block with the empty line at its end, CRLF line ends: metadata 1-10 of
/// TR-01201 3.4 3.1 first, then the sender's fields in their order, byte for byte, less Bcc,
/// Received, Return-Path, DKIM-Signature, Authentication-Results, Disposition-Notification-To,
/// Delivered-To, Demail-*, x-de-mail-*; From, Sender and Reply-To with De-Mail addresses. Where
/// From, Sender or Reply-To does not map: a sentence that says which.
struct NotMappable {
    std::string sentence;
};
[[nodiscard]] std::variant<std::string, NotMappable>
submission_header(const HeaderFields &original, const SubmissionMetadata &metadata,
                  const Right &right, const Address &envelope_sender);

/// Whether submission_header() finds From, Sender and Reply-To mappable by `right`, whose sender is
/// the submission's.
[[nodiscard]] bool originators_map(const HeaderFields &original, const Right &right,
                                   const Address &envelope_sender);

} // namespace demail
