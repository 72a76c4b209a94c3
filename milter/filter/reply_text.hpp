// The text of an SMTP reply as smfi_setreply(3) takes it. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace demail::filter {

/// Printable ASCII ("?" for all else), "%" doubled, one line, cut.
[[nodiscard]] std::string reply_text(std::string_view sentence);

} // namespace demail::filter
