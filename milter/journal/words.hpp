// The words that the journal's columns hold, and text from outside made fit for them.
#pragma once

#include "journal/journal.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace demail::journal {

/// Throw Unavailable: a newer version wrote it.
State state_in(std::string_view text);
RecipientField field_in(std::string_view text);

/// nullopt where it is not the hex of 16 octets.
[[nodiscard]] std::optional<Nonce> nonce_in(std::string_view hex_digits);

[[nodiscard]] bool is_final(State state) noexcept;

/// Text for people and for look-ups by it: UTF-8 without control characters, what is none becomes
/// "?", cut at 998 octets (RFC 5322 2.1.1). PostgreSQL refuses other bytes, and indexes no long
/// ones.
std::string storable(std::string_view text);

} // namespace demail::journal
