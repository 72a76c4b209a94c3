// What milter and relay ask of the seal in a message alike (contracts.md, "The seal"): exactly one,
// made by us, of this time, over these fields. Pure; thread-safe.
#pragma once

#include "message/header.hpp"
#include "message/reply.hpp"
#include "message/seal.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace demail {

/// Not the body and the recipients. `now` in Unix seconds. A Reply is for the whole message.
[[nodiscard]] std::variant<CheckedSeal, Reply> check_seal(const HeaderFields &fields,
                                                          const SealKeys &keys,
                                                          std::chrono::seconds lifetime,
                                                          std::int64_t now);
/// nullopt where it is the body that was sealed.
[[nodiscard]] std::optional<Reply> check_sealed_body(const Seal &seal, const Digest256 &body);
/// For a recipient, or a message with one, that Seal::covers() does not know.
[[nodiscard]] Reply not_addressed();
/// 550 5.7.0.
[[nodiscard]] Reply no_seal(std::string sentence);

} // namespace demail
