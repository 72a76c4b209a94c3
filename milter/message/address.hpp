// Mail addresses in one normal form (contracts.md, "The seal"): no comments, quotes only where
// needed, no route, no trailing dot, domain in A-labels and lower case. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace demail {

/// An addr-spec (RFC 5321 4.1.2, RFC 6531) that has been parsed and cannot be wrong.
class Address {
  public:
    /// Parses an address as an envelope or a header holds it: with or without angle brackets, with
    /// a source route, a quoted local part, comments, white space around the parts, a trailing dot,
    /// U-labels, full-width letters, soft hyphens, ideographic full stops. nullopt when it is no
    /// address: no domain, a control character, 8-bit that is not UTF-8, an address literal without
    /// an IP address, local part over 256 octets (VERP passes 64), domain over 255.
    static std::optional<Address> parse(std::string_view text);

    /// The local part without quotes and escapes, capitals as they stood.
    [[nodiscard]] const std::string &local() const noexcept { return local_; }
    /// The domain: A-labels (IDNA 2008 with UTS 46 mapping), lower case; or a literal "[…]".
    [[nodiscard]] const std::string &domain() const noexcept { return domain_; }
    [[nodiscard]] bool literal() const noexcept { return domain_.starts_with('['); }
    /// False where the domain as written, but for case and one trailing dot, is not domain(): a
    /// table that looks the text up as it stands would miss it.
    [[nodiscard]] bool domain_as_written() const noexcept { return as_written_; }

    /// The normal form, "local@domain", the local part quoted only where RFC 5321 needs it.
    [[nodiscard]] std::string str() const;
    /// The same with the local part in lower case: the form of a De-Mail address (TR-01201 2.1).
    [[nodiscard]] std::string lower() const;

    /// Same mailbox: domains equal, local parts equal without regard to ASCII case.
    friend bool operator==(const Address &a, const Address &b) noexcept;

  private:
    friend class AddressParser;
    static std::optional<Address> make(std::string local, std::string_view domain, bool literal);

    std::string local_;
    std::string domain_;
    bool as_written_ = true;
};

/// A domain in normal form (see above) or nullopt. Single labels are allowed, literals are not.
[[nodiscard]] std::optional<std::string> normal_domain(std::string_view text);

/// The other spellings of a domain in normal form that has A-labels: with U-labels (RFC 5890) for
/// some or all of them. A-labels beyond the fourth stay.
[[nodiscard]] std::vector<std::string> u_label_spellings(std::string_view domain);

/// A mailbox of a header field: its address and its display name (decoded from quotes, not from RFC
/// 2047).
struct Mailbox {
    std::string display_name;
    Address address;
};

/// The mailboxes of an address-list field's value (RFC 5322 3.4: names, comments, groups, folding,
/// obsolete routes). nullopt where the value is not a list of mailboxes. At most `limit` of them.
[[nodiscard]] std::optional<std::vector<Mailbox>> parse_mailboxes(std::string_view value,
                                                                  std::size_t limit = 10000);

} // namespace demail
