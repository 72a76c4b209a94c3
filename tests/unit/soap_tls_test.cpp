// TLS within limits: what is chosen, and what is said when a handshake fails. The server is
// OpenSSL's own, in this process.
#include "base/digest.hpp"
#include "ca_file.hpp"
#include "check.hpp"
#include "soap/https.hpp"
#include "soap/request.hpp"
#include "tls_server.hpp"

#include <csignal>
#include <cstdlib>
#include <optional>
#include <thread>
#include <vector>

using namespace demail;
using namespace demail::test;

namespace {

// A key in memory, which says whether it can sign by RSA-PSS.
class KeyWithOrWithoutPss final : public crypto::TokenKey {
  public:
    KeyWithOrWithoutPss(const std::string &kind, bool pss) : inner_(make_key(kind)), pss_(pss) {}
    [[nodiscard]] EVP_PKEY *pkey() const noexcept override { return inner_->pkey(); }
    [[nodiscard]] X509 *certificate() const noexcept override { return inner_->certificate(); }
    [[nodiscard]] const std::vector<Certificate> &chain() const noexcept override {
        return inner_->chain();
    }
    [[nodiscard]] bool can_pss() const noexcept override { return pss_; }
    [[nodiscard]] std::optional<crypto::TokenUnavailable> take_fault() const override {
        return std::nullopt;
    }

  private:
    std::shared_ptr<SoftwareKey> inner_;
    bool pss_;
};

// What the server saw of one handshake.
struct Seen {
    std::string version, cipher, group, signature, digest;
    bool resumed = false;
};

Seen seen_by(SSL *ssl) {
    Seen seen{SSL_get_version(ssl),        SSL_get_cipher_name(ssl), "", "", "",
              SSL_session_reused(ssl) == 1};
    if (const char *group = SSL_group_to_name(ssl, static_cast<int>(SSL_get_negotiated_group(ssl))))
        seen.group = group;
    int nid = 0;
    if (SSL_get_peer_signature_type_nid(ssl, &nid) == 1) seen.signature = OBJ_nid2sn(nid);
    if (SSL_get_peer_signature_nid(ssl, &nid) == 1) seen.digest = OBJ_nid2sn(nid);
    return seen;
}

// A server that answers every request and takes notes; `prepare` may narrow what it can do.
struct Server {
    std::vector<Seen> seen;
    TlsServer tls;
    explicit Server(int version = 0, const std::function<void(SSL_CTX *)> &prepare = {},
                    bool take_client = true)
        : tls(
              version, take_client, [this](SSL *ssl) { serve(ssl); }, prepare) {}

  private:
    void serve(SSL *ssl) {
        seen.push_back(seen_by(ssl));
        while (!tls.request(ssl).empty())
            TlsServer::answer(ssl, "<reply/>");
        SSL_shutdown(ssl); // else OpenSSL forgets the session
    }
};

struct Client {
    CaFile ca;
    soap::Https https;
    Client(const std::string &url, X509 *trusted, std::shared_ptr<crypto::TokenKey> key,
           const crypto::TlsLimits &limits)
        : ca(trusted),
          https({url, ca.name(), "fp", limits},
                {std::chrono::seconds(5), std::chrono::seconds(5), 1000}, std::move(key)) {}
    Client(const Server &server, std::shared_ptr<crypto::TokenKey> key,
           const crypto::TlsLimits &limits = {})
        : Client(server.tls.url(), server.tls.certificate(), std::move(key), limits) {}

    soap::HttpAnswer post(soap::Https::Sending sending = soap::Https::Sending::once) {
        const soap::RequestBody body = soap::get_account_request();
        soap::Post request(soap::Envelope{"urn:uuid:x", "<request/>", ""}, body);
        return https.post(request, sending);
    }
};

bool replied(const soap::HttpAnswer &answer) {
    return std::holds_alternative<soap::HttpReply>(answer);
}

std::string why(const soap::HttpAnswer &answer) {
    if (const auto *not_sent = std::get_if<soap::NotSent>(&answer)) return not_sent->why;
    if (const auto *none = std::get_if<soap::NoAnswer>(&answer)) return none->why;
    if (const auto *fault = std::get_if<soap::TokenFault>(&answer)) return fault->why;
    return "a reply";
}

// Names what is missing.
void check_holds(const std::string &text, std::initializer_list<std::string_view> parts) {
    for (const std::string_view part : parts)
        if (text.find(part) == std::string::npos)
            throw Failure{"\"" + std::string(part) + "\" is not in: " + text, __FILE__, __LINE__};
}

std::shared_ptr<SoftwareKey> key_of_rsa_4096() {
    Pkey key(EVP_RSA_gen(4096));
    Certificate certificate = self_signed(key.get(), "test RSA 4096");
    return std::make_shared<SoftwareKey>(std::move(key), std::move(certificate));
}

} // namespace

static void every_key_signs_in_where_only_aes256_sha384_and_p_521_are_spoken() {
    Server server(TLS1_2_VERSION, [](SSL_CTX *context) {
        SSL_CTX_set_cipher_list(context, "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384");
        // P-256: of the server's own certificate; P-521: of the key exchange.
        SSL_CTX_set1_groups_list(context, "P-521:P-256:P-384:brainpoolP256r1");
        SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
    });
    for (const char *kind : {"RSA", "P-256", "P-384", "P-521", "brainpoolP256r1"}) {
        Client client(server, make_key(kind));
        const auto answer = client.post();
        if (!replied(answer)) throw Failure{kind + why(answer), __FILE__, __LINE__};
        CHECK_EQUAL(server.seen.back().version, "TLSv1.2");
        CHECK_EQUAL(server.seen.back().cipher, "ECDHE-ECDSA-AES256-SHA384");
        CHECK_EQUAL(server.seen.back().group, "secp521r1");
    }
    CHECK(replied(Client(server, key_of_rsa_4096()).post()));
}

static void every_key_but_brainpool_signs_in_by_tls_1_3() {
    Server server(TLS1_3_VERSION);
    for (const char *kind : {"RSA", "P-256", "P-384", "P-521"}) {
        const auto answer = Client(server, make_key(kind)).post();
        if (!replied(answer)) throw Failure{kind + why(answer), __FILE__, __LINE__};
    }
    check_holds(why(Client(server, make_key("brainpoolP256r1")).post()),
                {"at the provider", "none of our versions", "alert protocol_version", "TLS 1.2;"});
}

static void limits_choose_version_cipher_group_and_signature() {
    Server server;
    crypto::TlsLimits limits;
    limits.maximum = TLS1_2_VERSION;
    limits.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
    limits.groups = {"P-384", "P-256"};
    CHECK(replied(Client(server, make_key("P-256"), limits).post()));
    CHECK_EQUAL(server.seen.back().version, "TLSv1.2");
    CHECK_EQUAL(server.seen.back().cipher, "ECDHE-ECDSA-AES128-GCM-SHA256");
    CHECK_EQUAL(server.seen.back().group, "secp384r1");

    limits = {};
    limits.minimum = TLS1_3_VERSION;
    limits.ciphersuites = "TLS_CHACHA20_POLY1305_SHA256";
    limits.groups = {"P-521"};
    limits.signature_algorithms = {"rsa_pss_rsae_sha512", "ECDSA+SHA256"};
    CHECK(replied(Client(server, make_key("RSA"), limits).post()));
    CHECK_EQUAL(server.seen.back().version, "TLSv1.3");
    CHECK_EQUAL(server.seen.back().cipher, "TLS_CHACHA20_POLY1305_SHA256");
    CHECK_EQUAL(server.seen.back().group, "secp521r1");
    CHECK_EQUAL(server.seen.back().digest, "SHA512");
}

static void a_key_without_pss_gets_tls_1_2_and_rsa_sha256() {
    Server server;
    CHECK(replied(Client(server, std::make_shared<KeyWithOrWithoutPss>("RSA", true)).post()));
    CHECK_EQUAL(server.seen.back().version, "TLSv1.3");
    CHECK(replied(Client(server, std::make_shared<KeyWithOrWithoutPss>("RSA", false)).post()));
    CHECK_EQUAL(server.seen.back().version, "TLSv1.2");
    CHECK_EQUAL(server.seen.back().signature, "rsaEncryption");
    CHECK_EQUAL(server.seen.back().digest, "SHA256");
}

static void limits_that_such_a_key_cannot_keep_are_said_and_nothing_is_sent() {
    Server server;
    const auto key = std::make_shared<KeyWithOrWithoutPss>("RSA", false);
    crypto::TlsLimits limits;
    limits.minimum = TLS1_3_VERSION;
    check_holds(why(Client(server, key, limits).post()), {"RSA-PSS", "least version is 1.3"});
    limits = {};
    limits.signature_algorithms = {"RSA+SHA512", "ECDSA+SHA256"};
    check_holds(why(Client(server, key, limits).post()), {"signature_algorithms leaves out"});
    CHECK_EQUAL(server.tls.requests, 0);
}

static void a_version_that_is_not_taken_is_named() {
    Server server(TLS1_2_VERSION);
    crypto::TlsLimits limits;
    limits.minimum = TLS1_3_VERSION;
    check_holds(why(Client(server, make_key("P-256"), limits).post()),
                {"handshake with fp failed at the provider", "alert protocol_version",
                 "we offered TLS 1.3;"});
}

static void nothing_in_common_is_named_with_what_we_offered() {
    Server server(TLS1_2_VERSION, [](SSL_CTX *context) {
        SSL_CTX_set_cipher_list(context, "ECDHE-ECDSA-AES256-GCM-SHA384");
        SSL_CTX_set1_groups_list(context, "P-384:P-256");
    });
    crypto::TlsLimits limits;
    limits.maximum = TLS1_2_VERSION;
    limits.ciphers = "ECDHE-ECDSA-AES128-SHA256";
    check_holds(why(Client(server, make_key("P-256"), limits).post()),
                {"TLS handshake with fp failed at the provider", "alert handshake_failure",
                 "we offered", "ciphers ECDHE-ECDSA-AES128-SHA256;", "groups ", "ECDSA+SHA256"});
    limits = {};
    limits.groups = {"P-521"};
    check_holds(why(Client(server, make_key("P-256"), limits).post()),
                {"at the provider", "groups secp521r1;"});
}

static void a_certificate_that_the_provider_refuses_is_named() {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        Server server(version, {}, false);
        const auto answer = Client(server, make_key("P-256")).post();
        check_holds(why(answer),
                    {version == TLS1_2_VERSION ? "TLS 1.2 handshake" : "TLS 1.3 handshake",
                     "failed at the provider", "refused our certificate",
                     "alert certificate_revoked", "CN=test P-256", "expires 20",
                     "we signed by ECDSA+SHA256"});
    }
}

static void signature_algorithms_that_our_key_has_not_are_named() {
    Server server(TLS1_2_VERSION, [](SSL_CTX *context) {
        SSL_CTX_set1_client_sigalgs_list(context, "ECDSA+SHA384");
    });
    check_holds(why(Client(server, make_key("RSA")).post()),
                {"at the provider", "our key cannot sign as it asks", "it takes ECDSA+SHA384"});
}

static void a_server_of_another_ca_is_named_with_the_file() {
    Server server;
    const Server other;
    Client client(server.tls.url(), other.tls.certificate(), make_key("P-256"), {});
    check_holds(why(client.post()),
                {"failed on our side", "is not signed by a CA in " + client.ca.name(),
                 "subject CN=localhost", "issuer CN=localhost"});
    CHECK_EQUAL(server.tls.requests, 0);
}

static void a_server_of_another_name_is_named() {
    Server server;
    std::string url = server.tls.url();
    url.replace(url.find("localhost"), 9, "127.0.0.1");
    Client client(url, server.tls.certificate(), make_key("P-256"), {});
    check_holds(why(client.post()),
                {"failed on our side", "is for CN=localhost, not for 127.0.0.1"});
    CHECK_EQUAL(server.tls.requests, 0);
}

static void a_server_certificate_out_of_time_is_named() {
    for (const long days : {-10L, 10L}) {
        Server server(0, [&](SSL_CTX *context) {
            const Certificate shifted =
                self_signed(SSL_CTX_get0_privatekey(context), "localhost", days * 86400);
            SSL_CTX_use_certificate(context, shifted.get());
        });
        const Certificate shifted(X509_dup(server.tls.presented()));
        Client client(server.tls.url(), shifted.get(), make_key("P-256"), {});
        check_holds(why(client.post()),
                    {"failed on our side", days < 0 ? "has expired on 20" : "is valid from 20",
                     "subject CN=localhost"});
        CHECK_EQUAL(server.tls.requests, 0);
    }
}

static void what_does_not_speak_tls_is_named() {
    Server server;
    server.tls.hang_up = true;
    check_holds(
        why(Client(server, make_key("P-256")).post()),
        {"failed at the provider", "closed without an alert before a ServerHello", "we offered"});
    Server plain;
    plain.tls.speak_http = true;
    check_holds(why(Client(plain, make_key("P-256")).post()),
                {"failed on our side", "does not speak TLS"});
}

static void a_series_on_fresh_connections_costs_one_full_handshake() {
    struct Case {
        int version;
        std::uint64_t options; // of the server
    };
    for (const Case &one : {Case{TLS1_2_VERSION, 0}, Case{TLS1_2_VERSION, SSL_OP_NO_TICKET},
                            Case{TLS1_3_VERSION, 0}}) {
        Server server(one.version,
                      [&](SSL_CTX *context) { SSL_CTX_set_options(context, one.options); });
        Client client(server, make_key("P-256"));
        for (int count = 0; count < 5; ++count)
            CHECK(replied(client.post()));
        CHECK_EQUAL(server.tls.connections, 5);
        for (std::size_t at = 0; at < 5; ++at)
            CHECK_EQUAL(server.seen[at].resumed, at != 0);
    }
}

static void a_second_line_resumes_the_session_of_the_first() {
    std::string resumed;
    std::optional<TlsServer> server;
    server.emplace(TLS1_3_VERSION, true, [&](SSL *ssl) {
        resumed += SSL_session_reused(ssl) == 1 ? "resumed " : "full ";
        while (!server->request(ssl).empty()) {
            // The first line is in use until the third request has had to take another one.
            if (server->requests == 2) std::this_thread::sleep_for(std::chrono::milliseconds(500));
            TlsServer::answer(ssl, "<reply/>");
            if (server->requests == 2) break;
        }
        SSL_shutdown(ssl);
    });
    Client client(server->url(), server->certificate(), make_key("P-256"), {});
    constexpr auto keeps = soap::Https::Sending::repeatable;
    CHECK(replied(client.post(keeps)));
    std::thread second([&] { (void)client.post(keeps); });
    while (server->requests < 2)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    CHECK(replied(client.post()));
    second.join();
    CHECK_EQUAL(resumed, "full resumed ");
}

int main() {
    std::signal(SIGPIPE, SIG_IGN); // of the test's server
    return run("soap tls", {TEST(every_key_signs_in_where_only_aes256_sha384_and_p_521_are_spoken),
                            TEST(every_key_but_brainpool_signs_in_by_tls_1_3),
                            TEST(limits_choose_version_cipher_group_and_signature),
                            TEST(a_key_without_pss_gets_tls_1_2_and_rsa_sha256),
                            TEST(limits_that_such_a_key_cannot_keep_are_said_and_nothing_is_sent),
                            TEST(a_version_that_is_not_taken_is_named),
                            TEST(nothing_in_common_is_named_with_what_we_offered),
                            TEST(a_certificate_that_the_provider_refuses_is_named),
                            TEST(signature_algorithms_that_our_key_has_not_are_named),
                            TEST(a_server_of_another_ca_is_named_with_the_file),
                            TEST(a_server_of_another_name_is_named),
                            TEST(a_server_certificate_out_of_time_is_named),
                            TEST(what_does_not_speak_tls_is_named),
                            TEST(a_series_on_fresh_connections_costs_one_full_handshake),
                            TEST(a_second_line_resumes_the_session_of_the_first)});
}
