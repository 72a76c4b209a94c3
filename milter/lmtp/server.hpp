// LMTP server (RFC 2033; 8BITMIME RFC 6152, SMTPUTF8 RFC 6531, SIZE RFC 1870, PIPELINING RFC 2920,
// ENHANCEDSTATUSCODES RFC 2034, XFORWARD as Postfix documents it). One thread a connection
// at a time.
#pragma once

#include "base/handle.hpp"
#include "message/reply.hpp"

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace demail::lmtp {

struct Envelope {
    std::string sender; ///< without angle brackets, "" for the null sender
    std::vector<std::string> recipients;
    std::optional<std::uint64_t> size;
    bool eight_bit = false;
    bool smtputf8 = false;
    std::string ident; ///< XFORWARD IDENT: for the log only, may be forged or absent
};

/// One message on its way in. Destroyed without complete(): the transfer broke off and nothing was
/// accepted.
class Delivery {
  public:
    virtual ~Delivery() = default;
    /// Message bytes as they come: CRLF lines, dots unstuffed, any chunking. Never throws for a bad
    /// message: it remembers and says so in complete().
    virtual void receive(std::string_view bytes) = 0;
    /// After CRLF.CRLF: one reply per recipient, in the envelope's order. `bad_bytes` when a NUL, a
    /// bare CR or a bare LF was in the data (the reply is 554 5.6.0 for each). Called once.
    virtual std::vector<Reply> complete(bool bad_bytes) = 0;
};

/// What the relay does with the dialogue. Called from many threads at once.
class Service {
  public:
    virtual ~Service() = default;
    /// nullopt: fine. Called after MAIL and after each RCPT.
    virtual std::optional<Reply> sender(const Envelope &envelope) = 0;
    virtual std::optional<Reply> recipient(const Envelope &envelope,
                                           std::string_view recipient) = 0;
    /// DATA: a Delivery, or a reply that refuses the command.
    virtual std::unique_ptr<Delivery> begin(const Envelope &envelope, Reply &refusal) = 0;
};

struct Limits {
    std::uint64_t message_bytes = 47185920; ///< announced by SIZE
    std::size_t recipients = 50000;
    std::size_t connections = 256;
    std::chrono::seconds command_timeout{300};
    std::chrono::seconds data_timeout{180}; ///< for each read
};

class Server {
  public:
    /// Peers whose SO_PEERCRED uid is not in `peers` are sent away (root is always let in).
    Server(Fd listener, std::vector<uid_t> peers, Service &service, Limits limits);
    ~Server();
    /// Serves until stop(); returns when the running transactions have ended (idle connections get
    /// 421 at once).
    void run();
    /// From any thread; async-signal-safe.
    void stop() noexcept;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace demail::lmtp
