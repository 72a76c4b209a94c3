// Display names of From, Sender and Reply-To (RFC 5322 3.4, RFC 2047 5). Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace demail {

/// True where the name holds an "@", as it stands or within an encoded word: mail programs show the
/// name instead of the address, so that such a name can pose as another sender.
[[nodiscard]] bool holds_at_sign(std::string_view display_name);

/// The name as a phrase: words as they are where RFC 5322 lets them stand, quoted otherwise;
/// encoded words are never quoted. Control characters go, runs of blanks become one.
[[nodiscard]] std::string phrase(std::string_view display_name);

} // namespace demail
