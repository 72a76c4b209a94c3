// Whether a request has gone out is told apart from whether it has been answered.
#include "ca_file.hpp"
#include "check.hpp"
#include "soap/https.hpp"
#include "soap/request.hpp"
#include "tls_server.hpp"

#include <poll.h>

#include <csignal>
#include <cstdlib>
#include <optional>

using namespace demail;
using namespace demail::test;

namespace {

constexpr soap::Https::Limits limits{std::chrono::seconds(5), std::chrono::seconds(5), 1000};

struct Client {
    CaFile ca;
    std::shared_ptr<SoftwareKey> key;
    soap::Https https;

    Client(const std::string &url, X509 *trusted,
           std::shared_ptr<SoftwareKey> own = make_key("P-256"))
        : ca(trusted), key(std::move(own)), https({url, ca.name()}, limits, key) {}
    explicit Client(const TlsServer &server) : Client(server.url(), server.certificate()) {}

    soap::HttpAnswer post(soap::Https::Sending sending = soap::Https::Sending::once) {
        const soap::RequestBody body = soap::get_account_request();
        soap::Post request(soap::Envelope{"urn:uuid:x", "<request/>", ""}, body);
        return https.post(request, sending);
    }
};

void read_and_answer(SSL *ssl, TlsServer &server) {
    while (!server.request(ssl).empty())
        TlsServer::answer(ssl, "<reply/>");
}

// A server whose connections read requests and answer them.
struct Good {
    std::optional<TlsServer> server;
    explicit Good(int version = TLS1_3_VERSION) {
        server.emplace(version, true, [this](SSL *ssl) { read_and_answer(ssl, *server); });
    }
};

} // namespace

static void a_reply_is_handed_on() {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        Good good(version);
        Client client(*good.server);
        const auto answer = client.post();
        const auto &reply = std::get<soap::HttpReply>(answer);
        CHECK_EQUAL(reply.status, 200);
        CHECK_EQUAL(reply.content_type, "application/soap+xml");
        CHECK_EQUAL(reply.body, "<reply/>");
    }
}

static void where_nobody_listens_nothing_was_sent() {
    std::string url;
    Certificate certificate;
    {
        Good good;
        url = good.server->url();
        certificate.reset(X509_dup(good.server->certificate()));
    }
    const auto answer = Client(url, certificate.get()).post();
    CHECK(!std::get<soap::NotSent>(answer).login_refused);
}

static void where_tls_does_not_begin_nothing_was_sent() {
    Good good;
    good.server->drop_at_once = true;
    CHECK(std::holds_alternative<soap::NotSent>(Client(*good.server).post()));
    CHECK_EQUAL(good.server->connections, 1);
}

static void a_server_that_is_not_trusted_gets_nothing() {
    Good good;
    const Good other;
    const auto answer = Client(good.server->url(), other.server->certificate()).post();
    CHECK(std::holds_alternative<soap::NotSent>(answer));
    std::string url = good.server->url();
    url.replace(url.find("localhost"), 9, "127.0.0.1"); // not the certificate's name
    CHECK(std::holds_alternative<soap::NotSent>(Client(url, good.server->certificate()).post()));
    CHECK_EQUAL(good.server->requests, 0);
}

static void a_certificate_refused_within_the_handshake_is_a_refused_login() {
    TlsServer server(TLS1_2_VERSION, false, [](SSL *) {});
    const auto answer = Client(server).post();
    CHECK(std::get<soap::NotSent>(answer).login_refused);
}

static void a_certificate_refused_after_the_request_went_out_is_no_answer() {
    TlsServer server(TLS1_3_VERSION, false, [](SSL *) {});
    const auto answer = Client(server).post();
    CHECK(std::get<soap::NoAnswer>(answer).login_refused);
}

static void a_token_that_fails_in_the_handshake_is_a_token_fault() {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        Good good(version);
        Client client(good.server->url(), good.server->certificate(),
                      key_that_does_not_sign("The card was pulled."));
        CHECK_EQUAL(std::get<soap::TokenFault>(client.post()).why, "The card was pulled.");
        CHECK_EQUAL(good.server->requests, 0);
    }
}

static void a_connection_cut_after_the_request_is_no_answer() {
    std::optional<TlsServer> server;
    server.emplace(TLS1_3_VERSION, true, [&](SSL *ssl) { (void)server->request(ssl); });
    const auto answer = Client(*server).post();
    CHECK(!std::get<soap::NoAnswer>(answer).login_refused);
    CHECK_EQUAL(server->requests, 1);
    CHECK_EQUAL(server->connections, 1);
}

static void a_submission_is_sent_once_even_when_a_kept_connection_has_died() {
    std::optional<TlsServer> server;
    // The first request is answered; the next is read, and the connection cut.
    server.emplace(TLS1_3_VERSION, true, [&](SSL *ssl) {
        (void)server->request(ssl);
        if (server->requests == 1) {
            TlsServer::answer(ssl, "<reply/>");
            (void)server->request(ssl);
        }
    });
    {
        Client client(*server);
        CHECK(
            std::holds_alternative<soap::HttpReply>(client.post(soap::Https::Sending::repeatable)));
        // What libcurl does by itself, so that the rest of this test can be seen to matter.
        CHECK(
            std::holds_alternative<soap::NoAnswer>(client.post(soap::Https::Sending::repeatable)));
        CHECK_EQUAL(server->requests, 3);
    }
    server->requests = 0;
    Client client(*server);
    CHECK(std::holds_alternative<soap::HttpReply>(client.post(soap::Https::Sending::once)));
    CHECK(std::holds_alternative<soap::NoAnswer>(client.post(soap::Https::Sending::once)));
    CHECK_EQUAL(server->requests, 2);
}

static void a_submission_takes_a_connection_of_its_own() {
    std::optional<TlsServer> server;
    server.emplace(TLS1_3_VERSION, true, [&](SSL *ssl) {
        (void)server->request(ssl);
        TlsServer::answer(ssl, "<reply/>");
        // The kept connection stays open for a while, for whoever would use it.
        pollfd more{SSL_get_fd(ssl), POLLIN, 0};
        if (server->connections == 1 && ::poll(&more, 1, 500) == 1) (void)server->request(ssl);
    });
    Client client(*server);
    CHECK(std::holds_alternative<soap::HttpReply>(client.post(soap::Https::Sending::repeatable)));
    CHECK(std::holds_alternative<soap::HttpReply>(client.post(soap::Https::Sending::once)));
    CHECK_EQUAL(server->connections, 2);
}

static void a_reply_that_is_too_long_is_not_taken() {
    std::optional<TlsServer> server;
    server.emplace(TLS1_3_VERSION, true, [&](SSL *ssl) {
        (void)server->request(ssl);
        TlsServer::answer(ssl, std::string(1001, 'x'));
    });
    const auto answer = Client(*server).post();
    CHECK(std::get<soap::NoAnswer>(answer).why.find("longer than 1000") != std::string::npos);
}

static void proxies_of_the_environment_are_passed_over() {
    ::setenv("https_proxy", "http://127.0.0.1:1", 1);
    ::setenv("all_proxy", "http://127.0.0.1:1", 1);
    Good good;
    const auto answer = Client(*good.server).post();
    ::unsetenv("https_proxy");
    ::unsetenv("all_proxy");
    CHECK(std::holds_alternative<soap::HttpReply>(answer));
}

static void nothing_but_https_is_spoken() {
    Good good;
    std::string url = good.server->url();
    url.erase(4, 1); // http://
    CHECK(std::holds_alternative<soap::NotSent>(Client(url, good.server->certificate()).post()));
    CHECK_EQUAL(good.server->connections, 0);
}

static void many_threads_share_one_client() {
    Good good;
    Client client(*good.server);
    std::atomic<int> replies = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int n = 0; n < 5; ++n)
                if (std::holds_alternative<soap::HttpReply>(client.post())) ++replies;
        });
    for (std::thread &thread : threads)
        thread.join();
    CHECK_EQUAL(replies, 20);
}

int main() {
    std::signal(SIGPIPE, SIG_IGN); // of the test's server
    return run("soap https",
               {TEST(a_reply_is_handed_on), TEST(where_nobody_listens_nothing_was_sent),
                TEST(where_tls_does_not_begin_nothing_was_sent),
                TEST(a_server_that_is_not_trusted_gets_nothing),
                TEST(a_certificate_refused_within_the_handshake_is_a_refused_login),
                TEST(a_certificate_refused_after_the_request_went_out_is_no_answer),
                TEST(a_token_that_fails_in_the_handshake_is_a_token_fault),
                TEST(a_connection_cut_after_the_request_is_no_answer),
                TEST(a_submission_is_sent_once_even_when_a_kept_connection_has_died),
                TEST(a_submission_takes_a_connection_of_its_own),
                TEST(a_reply_that_is_too_long_is_not_taken),
                TEST(proxies_of_the_environment_are_passed_over), TEST(nothing_but_https_is_spoken),
                TEST(many_threads_share_one_client)});
}
