// What a TLS handshake agreed on, or on what and on whose side it failed, as far as OpenSSL tells a
// client.
#pragma once

#include <openssl/ssl.h>

#include <optional>
#include <string>
#include <vector>

namespace demail::soap {

/// Takes notes of the handshakes of one connection after the other. Belongs to one thread at a
/// time.
class Handshake {
  public:
    /// Has the context's connections noted; takes its application data, its info, message and
    /// verify callbacks (what is verified does not change). Must outlive them.
    void watch(SSL_CTX *context);
    /// Before a request.
    void forget();

    [[nodiscard]] bool finished() const noexcept { return notes_.finished; }
    /// The last alert that the peer sent; -1 for none.
    [[nodiscard]] int alert() const noexcept { return notes_.alert; }

    /// "TLS 1.3, TLS_AES_256_GCM_SHA384, group X25519, …" of a full handshake; "" of none, and of
    /// one that resumed a session, which has the first one's.
    [[nodiscard]] const std::string &agreed() const noexcept { return notes_.agreed; }

    struct Side {
        std::string provider; ///< what the sentences call it
        std::string host;     ///< that its certificate must name
        std::string ca_file;
        X509 *certificate = nullptr; ///< ours
    };
    /// Sentences on the failure; nullopt when TLS was not the reason as far as can be told.
    /// `name_refused`: the handshake went well, but the certificate does not name the host.
    /// `broken_off`: TLS ended in its midst, whatever OpenSSL says of it.
    [[nodiscard]] std::optional<std::string> failure(const Side &side, bool name_refused,
                                                     bool broken_off) const;

  private:
    struct Notes {
        bool began = false, answered = false, finished = false; ///< answered: by a ServerHello
        bool asked_for_certificate = false;                     ///< by CertificateRequest
        bool sent_certificate = false, had_no_certificate = false;
        int alert = -1;
        std::string version, cipher, group, own_algorithm, peer_algorithm;
        std::string agreed;
        std::string offer;       ///< what our ClientHello says
        std::string wanted;      ///< the signature algorithms that the provider takes
        unsigned long error = 0; ///< OpenSSL's first
        int verify_error = X509_V_OK, verify_depth = 0;
        std::string subject, issuer, from, until; ///< of the certificate that was refused here
        std::string peer_subject, peer_names;
    };

    void note_state(const SSL *ssl, int where, int value);
    void note_message(SSL *ssl, bool sent, const unsigned char *bytes, std::size_t size);
    void note_parameters(SSL *ssl);
    void note_certificate(X509_STORE_CTX *store);
    void note_finish(const SSL *ssl);
    [[nodiscard]] std::string refused_here(const Side &side) const;
    [[nodiscard]] std::string refused_there(const Side &side) const;
    [[nodiscard]] std::string failed_here() const;
    [[nodiscard]] std::string closed_there() const;
    [[nodiscard]] std::string parameters() const;

    static void on_state(const SSL *ssl, int where, int value) noexcept;
    static void on_message(int sent, int version, int type, const void *bytes, std::size_t size,
                           SSL *ssl, void *self) noexcept;
    static int on_certificate(int good, X509_STORE_CTX *store) noexcept;

    Notes notes_;
};

/// Whether a TLS alert (RFC 8446 6.2) says that the peer does not take our certificate.
[[nodiscard]] bool refuses_certificate(int alert) noexcept;

} // namespace demail::soap
