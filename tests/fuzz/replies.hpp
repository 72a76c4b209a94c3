// The replies that the fuzzed provider has signed, and how it signs.
#pragma once

#include "base/instant.hpp"
#include "reply_signer.hpp"

#include <array>
#include <string>
#include <string_view>

namespace demail::fuzz {

/// What a reply answers, and when.
inline constexpr std::string_view asked_id = "urn:uuid:6ba7b810-9dad-41d1-80b4-00c04fd430c8";
Instant asked_at();

struct SignedReply {
    std::string_view name;    ///< of the element in the Body
    std::string_view payload; ///< that element, as exclusive C14N writes it
};
/// All that this provider ever signed to that question. A reply that is believed says one of these.
extern const std::array<SignedReply, 6> signed_replies;

/// The envelope without its Signature.
std::string unsigned_envelope(const SignedReply &reply);

/// Signs whatever elements of the envelope have the Ids body, timestamp, action and relates-to, and
/// puts the Signature before the end of the first Security header. Text that is no XML comes back
/// as it was.
std::string sign_envelope(std::string_view envelope);

} // namespace demail::fuzz
