// The domains that are De-Mail's (contracts.md, "The domain list"), as the relay's text file names
// them. Pure, thread-safe.
#pragma once

#include "message/reply.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace demail {

enum class DomainState {
    active, ///< De-Mail
    ended,  ///< was De-Mail and left the list: refused, never routed to the Internet
    hinted, ///< DNS alone names it as De-Mail: refused likewise
};

/// "active", "ended", "hinted".
[[nodiscard]] std::string_view name(DomainState state) noexcept;

/// What a recipient at a hinted domain is told.
[[nodiscard]] Reply refusal_of_hinted();

/// de-mail.de and what lies below it.
[[nodiscard]] bool below_de_mail(std::string_view domain) noexcept;

/// Domain (normal form) to state. A leading "." stands for all sub-domains. de-mail.de and
/// .de-mail.de are always in.
class DomainSet {
  public:
    DomainSet();
    /// Reads the file: lines "domain active|ended|hinted", "#" comments, blanks; also a bare domain
    /// (active). nullopt when a line is something else (an unreadable list must not be taken for a
    /// short one).
    static std::optional<DomainSet> parse(std::string_view text);
    /// What parse reads; this very text is also what postmap indexes: "domain state" a line,
    /// sorted.
    [[nodiscard]] std::string str() const;
    void set(std::string domain, DomainState state);
    void erase(std::string_view domain);
    /// The state of a domain or of the nearest parent that covers it; nullopt: not De-Mail.
    [[nodiscard]] std::optional<DomainState> find(std::string_view domain) const;
    [[nodiscard]] const std::map<std::string, DomainState, std::less<>> &all() const noexcept {
        return domains_;
    }

  private:
    std::map<std::string, DomainState, std::less<>> domains_;
};

} // namespace demail
