// Who may send De-Mail, and as whom (TR-01201 6.1 chapter 10; contracts.md [[account.sender]]).
// Pure, thread-safe.
#pragma once

#include "message/address.hpp"
#include "message/options.hpp"

#include <array>
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
    std::string login; ///< "" none needed, "any", "*" the same value as in from, or one login
    std::vector<Network> networks; ///< with login: both are needed; empty: not asked for
    bool local = false;            ///< fits sendmail(1), and nothing else
    OptionSet defaults;
    OptionSet allow; ///< defaults are allowed too
};

/// What the milter knows of who hands a message in.
struct Submitter {
    std::optional<Address> envelope_sender;
    std::string login;               ///< SASL user, "" for none
    std::optional<IpAddress> client; ///< nullopt where the form was not understood
    bool local = false;              ///< sendmail(1)
};

struct Right {
    const SenderRule *rule;
    Address sender; ///< the De-Mail address
};

/// A rule that asks for neither login nor network nor local fits nobody, nor does a local one that
/// asks for the others too or has a "*" in `from`. A Right points into the rules that gave it.
class SenderRules {
  public:
    SenderRules() = default;
    explicit SenderRules(std::vector<SenderRule> rules) : rules_(std::move(rules)) {}
    /// The first rule that fits, or nullopt: no right.
    [[nodiscard]] std::optional<Right> find(const Submitter &who) const;
    /// For the relay, which knows neither login nor client: the first rule of the account that lets
    /// this envelope sender be this De-Mail address.
    [[nodiscard]] std::optional<Right> find_mapping(std::string_view account,
                                                    const Address &envelope_sender,
                                                    const Address &demail_sender) const;
    /// Maps an address of the From, Sender or Reply-To field by `right`'s rule; with login "*" only
    /// the value that the envelope sender had. The De-Mail address itself maps to itself. nullopt:
    /// does not fit.
    [[nodiscard]] static std::optional<Address>
    map(const Right &right, const Address &envelope_sender, const Address &address);
    [[nodiscard]] const std::vector<SenderRule> &all() const noexcept { return rules_; }

  private:
    std::vector<SenderRule> rules_;
};

} // namespace demail
