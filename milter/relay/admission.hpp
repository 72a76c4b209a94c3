// Whether a message that came over LMTP may become a De-Mail at all: seal, time, content,
// recipients, rights (contracts.md, "The seal"). Pure; thread-safe.
#pragma once

#include "message/header.hpp"
#include "message/recipients.hpp"
#include "message/reply.hpp"
#include "message/rights.hpp"
#include "message/seal.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace demail::relay {

struct AdmissionRules {
    const SealKeys &keys;
    const SenderRules &senders;
    std::chrono::seconds seal_lifetime;
};

/// A message with a seal that holds; `recipients` are those that may have it, `refused` the replies
/// of the others, both with their place in the envelope.
struct Admitted {
    Seal seal;
    const SealKey *key;
    Right right; ///< without a rule where it is barred
    Address envelope_sender;
    struct Allowed {
        std::size_t place;
        Recipient recipient;
    };
    std::vector<Allowed> recipients;
    struct Refused {
        std::size_t place;
        Reply reply;
    };
    std::vector<Refused> refused;
    /// The sender has lost the right, or it is not known: nothing goes out. What went out already
    /// is looked up all the same.
    std::optional<Reply> barred{};
};

/// A Reply is for all recipients. `now` in Unix seconds.
[[nodiscard]] std::variant<Admitted, Reply>
admit(const AdmissionRules &rules, const HeaderFields &fields, const Digest256 &body_digest,
      const std::vector<std::string> &envelope_recipients, std::int64_t now);

} // namespace demail::relay
