// Who may send De-Mail, and as whom (TR-01201 6.1 chapter 10; contracts.md [[account.sender]]).
// Pure, thread-safe.
#pragma once

#include "message/address.hpp"
#include "message/options.hpp"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace demail {

/// An IP address, IPv4 as IPv4-mapped IPv6. Understands "192.0.2.1", "2001:db8::1",
/// "IPv6:2001:db8::1",
/// "::ffff:192.0.2.1" and brackets around them; anything else is nullopt: no right.
class IpAddress {
  public:
    static std::optional<IpAddress> parse(std::string_view text);
    [[nodiscard]] const std::array<unsigned char, 16> &bytes() const noexcept { return bytes_; }
    [[nodiscard]] bool loopback() const noexcept;

  private:
    std::array<unsigned char, 16> bytes_{};
};

/// CIDR: "10.0.0.0/8", "2001:db8::/32", or one address. Host bits set beyond the prefix: nullopt.
class Network {
  public:
    static std::optional<Network> parse(std::string_view text);
    /// An IPv6 network shorter than /96 holds no IPv4 address.
    [[nodiscard]] bool contains(const IpAddress &address) const noexcept;
    /// True where it holds a loopback address.
    [[nodiscard]] bool loopback() const noexcept;
    /// "10.0.0.0/8", with the prefix always.
    [[nodiscard]] std::string str() const;

  private:
    IpAddress base_;
    int prefix_ = 128;
};

/// "*@firm.example", "anna@firm.example": an address where a local part of "*" stands for any one.
class AddressPattern {
  public:
    static std::optional<AddressPattern> parse(std::string_view text);
    [[nodiscard]] bool wild() const noexcept { return wild_; }
    [[nodiscard]] const std::string &domain() const noexcept { return address_.domain(); }
    /// "*@firm.example" or the address, in lower case.
    [[nodiscard]] std::string str() const;
    /// What "*" stands for (lower case), "" for a fixed pattern that fits, nullopt where it does
    /// not fit.
    [[nodiscard]] std::optional<std::string> match(const Address &address) const;
    /// The address with `star` put in; nullopt where star is not [a-z0-9._+-]{1,64} (wild patterns
    /// only).
    [[nodiscard]] std::optional<Address> fill(std::string_view star) const;

  private:
    Address address_;
    bool wild_ = false;
};

struct SenderRule {
    std::string account;
    AddressPattern from;
    AddressPattern as;
    std::string login;             ///< "", "any", "*" as in from, "*@domain", or one login
    std::vector<Network> networks; ///< with login: both are needed; empty: not asked for
    bool local = false;            ///< fits sendmail(1), and nothing else
    OptionSet defaults;
    OptionSet allow;        ///< defaults are allowed too
    bool automatic = false; ///< mail may go that says of itself that no person sent it (RFC 3834)
    /// Who writes for `from` (RFC 5322 3.6.2: From is the author's, Sender the agent's), and her
    /// De-Mail address. Both or none; with them `login` is hers.
    std::optional<Address> delegate{}, delegate_as{};
    std::string file{}; ///< of a senders_file, with the line in it; "" for demail.toml
    unsigned line = 0;

    [[nodiscard]] bool delegates() const noexcept { return delegate.has_value(); }
};

/// What is wrong with a rule in itself. `key` is the key whose value is at fault, "" for the whole.
struct RuleFault {
    std::string_view key;
    std::string sentence;
};
/// `domains`: the account's, in normal form; `title` is how the rule is called in sentences.
[[nodiscard]] std::vector<RuleFault>
faults_of(const SenderRule &rule, const std::vector<std::string> &domains, std::string_view title);

/// What the milter knows of who hands a message in.
struct Submitter {
    std::optional<Address> envelope_sender;
    std::string login;               ///< SASL user, "" for none
    std::optional<IpAddress> client; ///< nullopt where the form was not understood
    bool local = false;              ///< sendmail(1)
};

struct Right {
    std::shared_ptr<const SenderRule> rule;
    Address sender; ///< the De-Mail address
};

/// The De-Mail address that the rule gives this submitter; nullopt: it does not fit. A rule that
/// asks for neither login nor network nor local fits nobody, nor does a local one that asks for the
/// others too or has a "*" in `from`.
[[nodiscard]] std::optional<Address> entitled(const SenderRule &rule, const Submitter &who);
/// The same for the relay, which knows neither login nor client.
[[nodiscard]] std::optional<Address> entitled(const SenderRule &rule,
                                              const Address &envelope_sender);

class SenderTable;

/// The rules of one account, in their order: those of demail.toml, then those of its file.
struct AccountRules {
    std::string account;
    std::shared_ptr<const std::vector<SenderRule>> rules;
    bool has_file = false;
    /// Null: what the file says is not known now, it cannot be read or is too old.
    std::shared_ptr<const SenderTable> file{};
};

struct RightsAnswer {
    std::optional<Right> right;
    /// No right, but a file of rules that might give one is not known now: 4xx.
    bool not_known = false;
};

/// All rules in force at one time. Immutable.
class SenderRules {
  public:
    SenderRules() = default;
    /// Rules of demail.toml alone.
    explicit SenderRules(std::vector<SenderRule> rules);
    explicit SenderRules(std::vector<AccountRules> accounts) : accounts_(std::move(accounts)) {}

    /// The first rule that fits; one by which somebody writes for another only where no other does.
    [[nodiscard]] RightsAnswer find(const Submitter &who) const;
    /// The first rule by which this submitter may write for `author`, the address in the From
    /// field: the envelope sender is hers or the author's.
    [[nodiscard]] RightsAnswer find_delegation(const Submitter &who, const Address &author) const;

    using Suits = std::function<bool(const Right &)>;
    /// For the relay, which knows neither login nor client: the first rule of the account that lets
    /// this envelope sender be this De-Mail address and `suits`; where none does, the first.
    [[nodiscard]] RightsAnswer find_mapping(std::string_view account,
                                            const Address &envelope_sender,
                                            const Address &demail_sender,
                                            const Suits &suits = {}) const;
    /// Maps an address of the From, Sender or Reply-To field by `right`'s rule; with login "*" only
    /// the value that the envelope sender had. The De-Mail address itself maps to itself. nullopt:
    /// does not fit.
    [[nodiscard]] static std::optional<Address>
    map(const Right &right, const Address &envelope_sender, const Address &address);
    [[nodiscard]] const std::vector<AccountRules> &accounts() const noexcept { return accounts_; }
    /// Whether a rule lets senders of this domain (normal form) send.
    [[nodiscard]] bool names_domain(std::string_view domain) const;

  private:
    template <typename Of>
    [[nodiscard]] RightsAnswer first(const Of &of) const;

    std::vector<AccountRules> accounts_;
};

} // namespace demail
