// A reply of the reference service, believed only when everything about it holds: form, schema,
// signature, time, and that it answers this request.
#pragma once

#include "soap/document.hpp"
#include "soap/https.hpp"
#include "soap/reply_signature.hpp"
#include "soap/schema.hpp"

#include <string>
#include <variant>

namespace demail::soap {

/// The element in the Body of a reply that holds, and the document that it lives in.
struct Payload {
    Document document;
    xmlNode *element;
};

/// Thread-safe.
class ReplyCheck {
  public:
    /// Throws std::runtime_error with a sentence where schema or signer cannot be read.
    ReplyCheck(const std::string &schema_file, const std::vector<std::string> &signers);

    /// `reply` is the expected element's name, `message_id` the request's. NoAnswer says which
    /// check failed; Fault is a signed, correlated ProviderFault.
    /// `content` is what came beside the envelope (HttpReply::content_id), taken in as `how` says;
    /// a reply with a content element must have it, and no other may.
    [[nodiscard]] std::variant<Payload, Fault, NoAnswer>
    read(const HttpReply &http, const std::string &reply, const std::string &message_id,
         Instant now, const Content *content = nullptr,
         ContentDigest how = ContentDigest::infoset) const;

  private:
    Schema schema_;
    Signers signers_;
};

} // namespace demail::soap
