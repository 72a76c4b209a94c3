// A TLS server of a few lines, whose connections do what a test says.
#pragma once

#include "software_key.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

namespace demail::test {

/// Listens on 127.0.0.1; each connection is served one after the other, by `serve` once the
/// handshake has been done. Its certificate is one for localhost, signed by itself.
class TlsServer {
  public:
    using Serve = std::function<void(SSL *)>;

    using Prepare = std::function<void(SSL_CTX *)>;

    /// `version`: of TLS, the only one; 0: any. `take_client`: what is said of the client's
    /// certificate. `prepare`: does the rest.
    TlsServer(int version, bool take_client, Serve serve, const Prepare &prepare = {})
        : serve_(std::move(serve)), context_(SSL_CTX_new(TLS_server_method())),
          listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        Pkey key(EVP_EC_gen("P-256"));
        certificate_ = self_signed(key.get(), "localhost");
        SSL_CTX_set_min_proto_version(context_.get(), version);
        SSL_CTX_set_max_proto_version(context_.get(), version);
        SSL_CTX_use_certificate(context_.get(), certificate_.get());
        SSL_CTX_use_PrivateKey(context_.get(), key.get());
        constexpr int both = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
        const unsigned char name[] = "test";
        SSL_CTX_set_session_id_context(context_.get(), name, sizeof name);
        SSL_CTX_set_verify(context_.get(), both, take_client ? take : refuse);
        if (prepare) prepare(context_.get());

        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        auto *generic = reinterpret_cast<sockaddr *>(&address);
        if (::bind(listener_.get(), generic, length) != 0 || ::listen(listener_.get(), 8) != 0 ||
            ::getsockname(listener_.get(), generic, &length) != 0)
            throw std::runtime_error("the test's server cannot listen");
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { run(); });
    }
    TlsServer(const TlsServer &) = delete;
    TlsServer &operator=(const TlsServer &) = delete;
    ~TlsServer() {
        ::shutdown(listener_.get(), SHUT_RDWR);
        thread_.join();
    }

    [[nodiscard]] std::string url() const {
        return "https://localhost:" + std::to_string(port_) + "/demail";
    }
    [[nodiscard]] X509 *certificate() const { return certificate_.get(); }
    /// The same, or what `prepare` has put in its place.
    [[nodiscard]] X509 *presented() const { return SSL_CTX_get0_certificate(context_.get()); }

    std::atomic<int> connections = 0;
    std::atomic<int> requests = 0; ///< counted by request()
    bool drop_at_once = false;     ///< before TLS
    bool hang_up = false;          ///< once the ClientHello is read
    bool speak_http = false;       ///< in place of TLS

    /// Reads one request with its body; "" at the end of the connection.
    std::string request(SSL *ssl) {
        std::string bytes;
        char buffer[4096];
        for (std::size_t wanted = std::string::npos; bytes.size() < wanted;) {
            const int got = SSL_read(ssl, buffer, sizeof buffer);
            if (got <= 0) return {};
            bytes.append(buffer, static_cast<std::size_t>(got));
            const std::size_t end = bytes.find("\r\n\r\n");
            const std::size_t at = bytes.find("Content-Length: ");
            if (end != std::string::npos && at != std::string::npos)
                wanted = end + 4 + std::stoul(bytes.substr(at + 16));
        }
        ++requests;
        return bytes;
    }
    static void answer(SSL *ssl, const std::string &body) {
        const std::string bytes = "HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\n"
                                  "Content-Length: " +
                                  std::to_string(body.size()) + "\r\n\r\n" + body;
        SSL_write(ssl, bytes.data(), static_cast<int>(bytes.size()));
    }

  private:
    static int take(int, X509_STORE_CTX *) noexcept { return 1; }
    static int refuse(int, X509_STORE_CTX *store) noexcept {
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REVOKED);
        return 0;
    }

    void run() {
        for (;;) {
            const Fd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            if (!connection) return;
            ++connections;
            if (drop_at_once) continue;
            if (hang_up) {
                char hello[16384];
                (void)::recv(connection.get(), hello, sizeof hello, 0);
                continue;
            }
            if (speak_http) {
                const std::string_view text = "HTTP/1.1 400 Bad Request\r\n\r\n";
                (void)::send(connection.get(), text.data(), text.size(), MSG_NOSIGNAL);
                ::shutdown(connection.get(), SHUT_WR);
                drain(connection.get());
                continue;
            }
            const Handle<SSL, SSL_free> ssl(SSL_new(context_.get()));
            SSL_set_fd(ssl.get(), connection.get());
            if (SSL_accept(ssl.get()) == 1) {
                serve_(ssl.get());
                continue;
            }
            // Bytes left unread would turn the close into a reset, which may overtake the alert.
            drain(connection.get());
        }
    }
    static void drain(int connection) {
        char buffer[4096];
        while (::recv(connection, buffer, sizeof buffer, 0) > 0) {
        }
    }

    Serve serve_;
    Handle<SSL_CTX, SSL_CTX_free> context_;
    Certificate certificate_;
    Fd listener_;
    int port_ = 0;
    std::thread thread_;
};

} // namespace demail::test
