// The De-Mail provider as the relay sees it: the reference service of xsd/provider.wsdl, whatever
// the wire looks like.
#pragma once

#include "message/options.hpp"
#include "message/private_id.hpp"
#include "message/recipients.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace demail::soap {

struct Account {
    std::string holder;
    bool high_level = false;
    std::vector<std::string> domains;
    OptionSet rights;
    std::uint64_t max_message_bytes = 0;
};

/// What the provider's directory says of an address.
struct DirectoryEntry {
    std::string address;
    bool exists = false;
    std::optional<bool> high_level; ///< whether it can be reached at level high; nullopt: not said
};

struct Domains {
    std::string version;
    bool unchanged = false;
    std::vector<std::string> domains; ///< as the provider wrote them: not yet checked
};

/// The message: a header block with its empty line, then `body_length` bytes of `body_fd` from
/// `body_offset` (read by pread, so that threads may share the descriptor).
struct Content {
    std::string header;
    int body_fd = -1;
    off_t body_offset = 0;
    std::uint64_t body_length = 0;
};

/// Whoever keeps what goes over the wire. Called on the thread that asks.
class Exchange {
  public:
    virtual ~Exchange() = default;
    /// The SOAP envelope (the content itself is not in it), when the connection stands and before
    /// the first byte goes out. What it throws keeps the request from being sent: NotSent.
    virtual void sending(std::string_view envelope) = 0;
    /// The body of the HTTP reply, whatever it is worth.
    virtual void answered(std::string_view reply) noexcept = 0;
};

struct Submission {
    PrivateId private_id;
    Address sender;
    std::vector<Recipient> recipients;
    OptionSet options;
    Content content;
    Exchange *exchange = nullptr; ///< not owned
};

/// A recipient to whom an accepted submission did not go.
struct Rejected {
    std::string address, code, reason;
};

struct Submitted {
    std::string private_id, message_id, accepted_at;
    std::vector<Rejected> rejected;
};

struct Found {
    enum class State { unknown, accepted, refused } state = State::unknown;
    std::string private_id, message_id, accepted_at, reason;
    std::vector<Rejected> rejected{};
};

/// A De-Mail out of the mailbox. Its bytes are in the file that was given for them.
struct Message {
    std::string id;
    std::uint64_t bytes = 0;
};

// What can come of a request. contracts.md's outcome table starts from these.
struct Fault { ///< signed, correlated ProviderFault
    std::string code, reason;
    std::optional<std::uint32_t> retry_after_seconds;
};
struct NotSent { ///< not one byte of the request went out: connect or TLS failed, or something here
    std::string why;
    bool login_refused = false; ///< the provider's TLS refused our certificate
};
struct NoAnswer { ///< anything else without a signed, correlated reply: the outcome is not known
    std::string why;
    bool login_refused = false; ///< TLS refused our certificate, but only after our Finished (1.3)
};
struct TokenFault { ///< the card did not sign; nothing was sent
    std::string why;
};
template <typename Reply>
using Answer = std::variant<Reply, Fault, NotSent, NoAnswer, TokenFault>;

/// One account at one provider. Thread-safe; calls block until answered or timed out.
class Provider {
  public:
    virtual ~Provider() = default;
    virtual Answer<Account> get_account() = 0;
    virtual Answer<Domains> get_domains(const std::optional<std::string> &known_version) = 0;
    virtual Answer<DirectoryEntry> look_up_recipient(const Address &address) = 0;
    virtual Answer<Submitted> submit(const Submission &submission) = 0;
    /// `exchange`: not owned.
    virtual Answer<Found> find_submission(const std::string &private_id,
                                          Exchange *exchange = nullptr) = 0;
    /// Writes the message to `file`, which is open for reading and writing and empty, as it comes;
    /// only a Message says that what is there was signed.
    virtual Answer<Message> fetch_message(const std::string &id, int file) = 0;
};

} // namespace demail::soap
