// The Bodies of the reference service's requests (xsd/provider.xsd). Pure, thread-safe.
#pragma once

#include "soap/provider.hpp"

#include <optional>
#include <string>

namespace demail::soap {

/// A soap:Body with the Id "body" as exclusive C14N writes it: what is written is what is signed,
/// nothing needs to be parsed again. Content belongs between `head` and `tail`.
struct RequestBody {
    std::string action; ///< of WS-Addressing
    std::string head;
    std::string tail;
    const Content *content = nullptr; ///< not owned
};

// nullopt where a value holds a character that XML cannot carry.
[[nodiscard]] RequestBody get_account_request();
[[nodiscard]] std::optional<RequestBody>
get_domains_request(const std::optional<std::string> &known_version);
[[nodiscard]] std::optional<RequestBody> submit_request(const Submission &submission);
[[nodiscard]] std::optional<RequestBody> lookup_recipient_request(const Address &address);
[[nodiscard]] std::optional<RequestBody> find_submission_request(const std::string &private_id);
[[nodiscard]] std::optional<RequestBody> fetch_message_request(const std::string &id);

} // namespace demail::soap
