// Header fields with their exact bytes (RFC 5322 2.2). Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace demail {

/// One field. `name` is all before the colon (blanks before the colon included), `value` all after
/// it, folds included, without the final line end: name + ":" + value is the field as it stood.
struct HeaderField {
    std::string name;
    std::string value;

    /// Compares names without case and without blanks before the colon.
    [[nodiscard]] bool is(std::string_view other) const noexcept;
    /// The value unfolded (line breaks dropped) and trimmed.
    [[nodiscard]] std::string unfolded() const;
};

using HeaderFields = std::vector<HeaderField>;

/// Splits a header block (lines end in CRLF, a final empty line may be there or not). nullopt when
/// a line is neither a field nor a continuation.
[[nodiscard]] std::optional<HeaderFields> parse_header(std::string_view block);

/// The topmost field of that name (TR-01201 3.4 3.1.1: the topmost counts), or nullptr.
[[nodiscard]] const HeaderField *topmost(const HeaderFields &fields,
                                         std::string_view name) noexcept;
[[nodiscard]] std::size_t count(const HeaderFields &fields, std::string_view name) noexcept;

/// name ":" value as RFC 6376 3.4.2 "relaxed" makes it, with CRLF.
[[nodiscard]] std::string relaxed(const HeaderField &field);

/// The firewall's reading of a name: true where it reads as x-de-mail… or demail… after dropping
/// case and all but letters and digits, or holds an encoded word.
[[nodiscard]] bool reads_as_demail(std::string_view name) noexcept;
/// A field of the kind above that a sender may set: the five options, x-de-mail-sender,
/// x-de-mail-private-id and its misspelling x-de-mail-privat-id (AFD's), exactly so spelt but for
/// case.
[[nodiscard]] bool sender_may_set(std::string_view name) noexcept;

} // namespace demail
