// /etc/demail/demail.toml, read and checked as a whole (contracts.md, "Configuration").
#pragma once

#include "crypto/tls_limits.hpp"
#include "daemon/fault.hpp"
#include "message/rights.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace demail {

/// When the provider's directory is asked for the recipients before a De-Mail goes out.
enum class LookUps {
    never,
    for_private, ///< where an option asks the recipient for level high
    always,
};

struct ProviderConfiguration {
    std::string name, profile, endpoint, ca_file;
    std::string auth_key; ///< "" only where each of its accounts has one of its own
    std::string sign_key; ///< filled in from auth_key where the file has none
    std::vector<std::string> reply_signer; ///< "sha256:" + 64 hex digits in lower case, or a path
    std::chrono::seconds answer_timeout{300};
    /// How long it may leave requests unanswered before it is left alone for a while.
    std::chrono::seconds patience{120};
    std::chrono::seconds token_timeout{30}; ///< for one signature, a new login included
    LookUps look_ups = LookUps::for_private;
    crypto::TlsLimits tls;
};

/// Where De-Mails to `address` are delivered to.
struct MailboxConfiguration {
    AddressPattern address, deliver;
};

struct AccountConfiguration {
    std::string name, provider;
    std::vector<std::string> domains; ///< in normal form
    /// "" : the provider's; an account is one login (one key). An auth_key of its own is its
    /// sign_key too, unless the file has one.
    std::string auth_key, sign_key;
    std::vector<MailboxConfiguration> mailboxes;
    std::string senders_file; ///< more sender rules, behind those of demail.toml; "": none
    /// How old that file may be before it is not believed any more; nullopt: any age.
    std::optional<std::chrono::seconds> senders_max_age;
    std::optional<std::chrono::days> retention; ///< of its evidence, where it has one of its own
};

/// Where demail-directory asks who may send, and what it makes of the answer.
struct DirectoryConfiguration {
    std::string account; ///< whose senders_file is written
    std::string url, ca_file, bind_dn, password_file;
    std::string base, filter;                        ///< the account's name is in it already
    std::string from, as, login;                     ///< attributes
    std::string defaults_attribute, allow_attribute; ///< "" for none
    OptionSet defaults, allow;                       ///< of every sender
    std::chrono::seconds timeout{10};                ///< for each answer
};

/// Which domains demail-directory asks DNS for, and where it writes those that are De-Mail by it.
struct HintsConfiguration {
    std::string watched;
    std::string file = "/var/lib/demail-directory/hinted-domains";
    std::chrono::seconds refresh{86400};
};

/// Immutable once read; daemons share it by std::shared_ptr<const Configuration>, so a reload
/// disturbs no running message.
struct Configuration {
    bool observe = false;
    std::string milter_socket = "/var/spool/postfix/demail-milter/milter.sock";
    std::vector<Network> reinjection; ///< clients that bring sealed messages back: content filters
    std::string lmtp_socket = "/var/spool/postfix/demail-relay/lmtp.sock";
    std::string lmtp_peer = "postfix"; ///< user whose uid may connect to the LMTP socket
    std::string deliver_to = "unix:/var/spool/postfix/public/demail-in";
    std::string domains = "/var/lib/demail/domains";
    std::string spool = "/var/lib/demail/spool";
    std::string evidence = "/var/lib/demail/evidence";
    std::string refused_pins = "/var/lib/demail/refused-pins";    ///< directory, made when needed
    std::string journal = "sqlite3:///var/lib/demail/journal.db"; ///< or a libpq URI
    std::string relay_name; ///< among the relays of one journal; "": the host's name
    std::string control_socket = "/run/demail-relay/control.sock";
    std::string
        postfix_configuration; ///< [relay] postfix_configuration: directory; "": Postfix's default
    std::string schema_directory = PKGDATADIR "/xsd";
    std::string seal_key_file = "/etc/demail/seal.key";
    std::chrono::seconds seal_lifetime{6 * 86400}; ///< Postfix's maximal_queue_lifetime + 1 day
    bool refuse_mixed_recipients = false;
    bool subject_flags = true; ///< options may be asked for in the Subject
    std::string blocks = "/var/lib/demail/blocks/blocked"; ///< demailctl writes it; may be absent
    std::string ended_providers; ///< the operator's list of them; "": none
    std::string shipped_ended_providers = PKGDATADIR "/ended-providers.toml";
    std::chrono::seconds domains_refresh{86400};
    std::chrono::seconds domains_settle{30}; ///< how long Postfix may take to notice a new index
    /// When Postfix is taken to have given a message up: its maximal_queue_lifetime and two hours.
    std::chrono::seconds given_up_after{5 * 86400 + 7200};
    std::chrono::seconds lookup_pause{
        60}; ///< between two FindSubmission that must both say unknown
    /// How long evidence is kept behind the end of a submission: six years from the end of the year
    /// (§ 257 HGB, § 147 AO).
    std::chrono::days retention{2557};
    std::vector<ProviderConfiguration> providers;
    std::vector<AccountConfiguration> accounts;
    std::optional<DirectoryConfiguration> directory;
    std::optional<HintsConfiguration> hints;
    /// Of all accounts in the file's order, without those of their senders_files (senders.hpp).
    SenderRules rules;
    std::vector<ConfigurationFault> warnings; ///< what is allowed but seldom meant
};

/// Of an account's evidence, one that is configured no longer too.
[[nodiscard]] std::chrono::days retention_of(const Configuration &configuration,
                                             std::string_view account);

/// Reads and checks; every fault at once. Does not open the files and keys that it names.
[[nodiscard]] std::variant<Configuration, std::vector<ConfigurationFault>>
read_configuration(const std::string &file);
/// The same from text, for tests and fuzzing.
[[nodiscard]] std::variant<Configuration, std::vector<ConfigurationFault>>
parse_configuration(std::string_view text, const std::string &file);

/// Checks that the files named can be read with modes that keep secrets (seal key 0640 or tighter,
/// not world-anything). `for_relay`: CA file, signers, key URIs and PIN files too.
[[nodiscard]] std::vector<ConfigurationFault> check_files(const Configuration &configuration,
                                                          const std::string &file, bool for_relay);
/// The same of the files that [directory] names.
[[nodiscard]] std::vector<ConfigurationFault>
check_directory_files(const Configuration &configuration, const std::string &file);

} // namespace demail
