// The private-id: De-Mail's correlation key (TR-01201 3.4 3.1.17). Pure, thread-safe.
#pragma once

#include "message/seal.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace demail {

/// "g1-" + 40 hex digits, then ";" and the user's own value if there was one. At most 1024
/// characters.
class PrivateId {
  public:
    /// `submission_class`: "visible" for To and Cc, "bcc:" + address for a Bcc recipient (see
    /// Recipients). `user_value` is cut of control characters and at 1024 characters in all.
    static PrivateId make(const SealKey &key, const Nonce &n, std::string_view submission_class,
                          std::string_view user_value);
    static std::optional<PrivateId> parse(std::string_view text);

    [[nodiscard]] const std::string &str() const noexcept { return text_; }
    /// The "g1-…" part alone: what may be logged.
    [[nodiscard]] std::string_view gateway_part() const noexcept {
        return std::string_view(text_).substr(0, 43);
    }
    /// Its 40 hex digits.
    [[nodiscard]] std::string_view digits() const noexcept { return gateway_part().substr(3); }
    friend bool operator==(const PrivateId &, const PrivateId &) = default;

  private:
    std::string text_;
};

/// The user's own value: the topmost x-de-mail-private-id, else x-de-mail-privat-id; "" for none.
[[nodiscard]] std::string user_private_id(const HeaderFields &fields);

} // namespace demail
