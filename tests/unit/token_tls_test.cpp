// TLS handshakes in which the client proves itself with a key of a token, and signatures from many
// threads.
#include "check.hpp"
#include "crypto/token_key.hpp"
#include "token_world.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <thread>

using demail::Handle;
using demail::crypto::TokenKey;
using namespace demail::test;

namespace {

using Context = Handle<SSL_CTX, SSL_CTX_free>;
using Connection = Handle<SSL, SSL_free>;

Context server(int version) {
    static const Key key = make_key("P-256");
    static const Certificate certificate = make_certificate(key.get(), {});
    Context context(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_set_min_proto_version(context.get(), version);
    SSL_CTX_set_max_proto_version(context.get(), version);
    CHECK_EQUAL(SSL_CTX_use_certificate(context.get(), certificate.get()), 1);
    CHECK_EQUAL(SSL_CTX_use_PrivateKey(context.get(), key.get()), 1);
    SSL_CTX_set1_groups_list(context.get(), "P-256:P-384:P-521:brainpoolP256r1");
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), token_world().root.get());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_purpose(context.get(), X509_PURPOSE_ANY); // the keys have various uses
    return context;
}

Context client(const TokenKey &key) {
    Context context(SSL_CTX_new(TLS_client_method()));
    CHECK_EQUAL(SSL_CTX_use_certificate(context.get(), key.certificate()), 1);
    CHECK_EQUAL(SSL_CTX_use_PrivateKey(context.get(), key.pkey()), 1);
    CHECK_EQUAL(SSL_CTX_check_private_key(context.get()), 1);
    for (const auto &ca : key.chain())
        CHECK_EQUAL(SSL_CTX_add1_chain_cert(context.get(), ca.get()), 1);
    SSL_CTX_set1_groups_list(context.get(), "P-256:P-384:P-521:brainpoolP256r1");
    return context;
}

struct Handshake {
    bool finished = false;
    Certificate peer;      ///< what the server has seen and verified
    std::string signature; ///< how the client signed, as the server names it
};

Handshake shake(const TokenKey &key, int version) {
    const Context server_context = server(version);
    const Context client_context = client(key);
    const Connection a(SSL_new(client_context.get())), b(SSL_new(server_context.get()));
    BIO *left = nullptr, *right = nullptr;
    CHECK_EQUAL(BIO_new_bio_pair(&left, 65536, &right, 65536), 1);
    SSL_set_bio(a.get(), left, left);
    SSL_set_bio(b.get(), right, right);
    SSL_set_connect_state(a.get());
    SSL_set_accept_state(b.get());
    Handshake result;
    for (int round = 0; round < 20 && !result.finished; ++round) {
        const int client_done = SSL_do_handshake(a.get());
        const int server_done = SSL_do_handshake(b.get());
        result.finished = client_done == 1 && server_done == 1;
    }
    if (!result.finished) ERR_clear_error();
    result.peer.reset(SSL_get1_peer_certificate(b.get()));
    int kind = 0;
    if (SSL_get_peer_signature_type_nid(b.get(), &kind) == 1) result.signature = OBJ_nid2sn(kind);
    return result;
}

void signs_in(const char *kind, int version) {
    const auto key = TokenKey::open(token_world().uri(kind));
    const Handshake handshake = shake(*key, version);
    if (!handshake.finished) throw Failure{kind, __FILE__, __LINE__};
    CHECK(handshake.peer != nullptr);
    CHECK_EQUAL(X509_cmp(handshake.peer.get(), key->certificate()), 0);
}

void every_key_signs_in_by_tls_1_2() {
    for (const char *kind : key_kinds)
        signs_in(kind, TLS1_2_VERSION);
}

void every_key_but_brainpool_signs_in_by_tls_1_3() {
    for (const char *kind : {"RSA", "P-256", "P-384", "P-521"})
        signs_in(kind, TLS1_3_VERSION);
}

void tls_1_3_signs_with_pss() {
    const auto key = TokenKey::open(token_world().uri("RSA"));
    CHECK_EQUAL(shake(*key, TLS1_3_VERSION).signature, "RSASSA-PSS");
}

void a_key_with_a_strange_certificate_is_refused_by_the_server() {
    const auto key = TokenKey::open(token_world().uri("RSA"));
    const Context context = client(*key);
    const Key other = make_key("RSA");
    const Certificate strange = make_certificate(other.get(), {});
    CHECK_EQUAL(SSL_CTX_use_certificate(context.get(), strange.get()), 1);
    CHECK(SSL_CTX_check_private_key(context.get()) != 1);
    ERR_clear_error();
}

void eight_threads_sign_with_three_keys_at_once() {
    std::atomic<int> good = 0;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 8; ++thread)
        threads.emplace_back([&good, thread] {
            const char *const kind = key_kinds[thread % 3];
            try {
                const auto key = TokenKey::open(token_world().uri(kind));
                for (int i = 0; i < 25; ++i)
                    if (text_verifies(key->certificate(), sign_text(key->pkey(), "SHA256"),
                                      "SHA256"))
                        ++good;
            } catch (...) { // counted as missing signatures
            }
        });
    for (std::thread &thread : threads)
        thread.join();
    CHECK_EQUAL(good.load(), 200);
}

void eight_threads_sign_in_at_once() {
    const auto key = TokenKey::open(token_world().uri("RSA"));
    std::atomic<int> good = 0;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 8; ++thread)
        threads.emplace_back([&] {
            try {
                for (int i = 0; i < 5; ++i)
                    if (shake(*key, i % 2 == 0 ? TLS1_2_VERSION : TLS1_3_VERSION).finished) ++good;
            } catch (...) {
            }
        });
    for (std::thread &thread : threads)
        thread.join();
    CHECK_EQUAL(good.load(), 40);
}

} // namespace

int main() {
    (void)token_world(); // before there are threads
    return run("token_tls",
               {TEST(every_key_signs_in_by_tls_1_2),
                TEST(every_key_but_brainpool_signs_in_by_tls_1_3), TEST(tls_1_3_signs_with_pss),
                TEST(a_key_with_a_strange_certificate_is_refused_by_the_server),
                TEST(eight_threads_sign_with_three_keys_at_once),
                TEST(eight_threads_sign_in_at_once)});
}
