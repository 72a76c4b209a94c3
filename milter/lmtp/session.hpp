// The dialogue of one connection (RFC 2033): commands in, replies out, content to the service. Runs
// in the thread that calls run().
#pragma once

#include "lmtp/data_decoder.hpp"
#include "lmtp/protocol.hpp"
#include "lmtp/server.hpp"
#include "lmtp/stream.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace demail::lmtp {

class Session {
  public:
    /// All outlive the session. `host` is the name in the greeting.
    Session(Stream &stream, Service &service, const Limits &limits, std::string host);
    /// Until QUIT, the peer's end, a time-out or a stop.
    void run();

  private:
    struct Content;

    /// The next command line without its line end; nullopt when the dialogue is over. Replies that
    /// wait are sent before it waits itself (RFC 2920 3.2).
    std::optional<std::string_view> next_line();
    std::optional<std::string_view> buffered_line();
    /// More octets behind those that are there; false when the dialogue is over.
    bool fill(std::chrono::seconds patience, bool stoppable);

    void obey(const Command &command);
    void lhlo(std::string_view argument);
    void mail(std::string_view argument);
    void rcpt(std::string_view argument);
    void data(std::string_view argument);
    void xforward(std::string_view argument);
    std::optional<Reply> apply(const PathArgument &argument, Envelope &envelope) const;
    bool receive(Content &content);
    void end_of_data(Content &content);

    void reply(const Reply &reply);
    /// A reply to what the protocol does not allow; too many of them end the connection.
    void fault(int code, const char *enhanced, const char *text);
    void flush();
    void close(const Reply &last);
    void reset();

    Stream &stream_;
    Service &service_;
    const Limits &limits_;
    const std::string host_;
    std::unique_ptr<char[]> buffer_;  // not cleared: each dialogue uses a fraction of it
    std::size_t begin_ = 0, end_ = 0; ///< what is read and not yet used
    bool skipping_ = false;           ///< within a line that is too long
    std::string output_;
    bool over_ = false;
    bool greeted_ = false;
    unsigned faults_ = 0;
    std::string ident_;
    std::optional<Envelope> envelope_; ///< between MAIL and the end of its transaction
};

} // namespace demail::lmtp
