// HTTPS to one endpoint by libcurl, with a client certificate whose key lives on a token.
#pragma once

#include "crypto/tls_limits.hpp"
#include "crypto/token_key.hpp"
#include "soap/multipart.hpp"
#include "soap/post.hpp"
#include "soap/provider.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace demail::soap {

struct HttpReply {
    long status = 0;
    std::string content_type; ///< the envelope's, where content came with it
    std::string body;
    std::optional<std::string> content_id{}; ///< of what was written to the content's file
    std::uint64_t content_bytes = 0;
};

/// Where content goes that comes with a reply.
struct ContentFile {
    int file = -1;           ///< open for writing, empty; not owned
    std::uint64_t bytes = 0; ///< cap
};
using HttpAnswer = std::variant<HttpReply, NotSent, NoAnswer, TokenFault>;

/// HTTP/1.1, https alone, no redirects, no proxy, no .netrc, only the given CA, TLS 1.2 or later.
/// Thread-safe: each call takes a connection of its own. TLS sessions are resumed, so that the
/// token signs once for many connections.
class Https {
  public:
    struct Limits {
        std::chrono::seconds connect{30};
        std::chrono::seconds answer{300}; ///< without a byte either way; for all of it, what
                                          ///< 64 KiB/s of upload take is added
        std::uint64_t reply_bytes = 1U << 20;
    };
    struct Peer {
        std::string url, ca_file;
        std::string name{}; ///< what sentences and the log call it; "": the URL
        crypto::TlsLimits tls{};
    };
    enum class Sending {
        once,       ///< on a fresh connection, and never a second time
        repeatable, ///< libcurl may send again when a kept connection turns out to be dead
    };

    /// Throws std::runtime_error when libcurl lacks something or the CA file cannot be read.
    Https(Peer peer, Limits limits, std::shared_ptr<crypto::TokenKey> auth_key);
    ~Https();
    Https(const Https &) = delete;
    Https &operator=(const Https &) = delete;

    /// Throws std::runtime_error only before anything was sent.
    /// `content`: multipart/related is taken too, its content written there. `before`: called when
    /// the connection stands, before the first byte of the request; what it throws is NotSent.
    [[nodiscard]] HttpAnswer post(Post &post, Sending sending, ContentFile content = {},
                                  const std::function<void()> &before = {});

  private:
    struct Shared;
    std::unique_ptr<Shared> shared_;
};

} // namespace demail::soap
