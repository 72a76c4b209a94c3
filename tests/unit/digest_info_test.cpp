// The blocks that a raw RSA operation is given, against OpenSSL's own padding.
#include "base/digest.hpp"
#include "base/digest_info.hpp"
#include "certificates.hpp"
#include "check.hpp"

#include <openssl/rsa.h>

using namespace demail;
using namespace demail::test;

namespace {

using Context = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

unsigned char *bytes(std::string &text) {
    return reinterpret_cast<unsigned char *>(text.data());
}

// With two primes OpenSSL rounds an odd length down.
Key rsa_key(unsigned bits) {
    const Context context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
    CHECK_EQUAL(EVP_PKEY_keygen_init(context.get()), 1);
    CHECK_EQUAL(EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), static_cast<int>(bits)), 1);
    CHECK_EQUAL(EVP_PKEY_CTX_set_rsa_keygen_primes(context.get(), bits % 2 == 0 ? 2 : 3), 1);
    EVP_PKEY *key = nullptr;
    CHECK_EQUAL(EVP_PKEY_generate(context.get(), &key), 1);
    return Key(key);
}

std::string raw_rsa(EVP_PKEY *key, std::string block) {
    const Context context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    CHECK_EQUAL(EVP_PKEY_sign_init(context.get()), 1);
    CHECK_EQUAL(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING), 1);
    std::string out(static_cast<std::size_t>(EVP_PKEY_get_size(key)), '\0');
    std::size_t size = out.size();
    CHECK_EQUAL(EVP_PKEY_sign(context.get(), bytes(out), &size, bytes(block), block.size()), 1);
    return out;
}

bool verifies(EVP_PKEY *key, const DigestAlgorithm &algorithm, const DigestAlgorithm *mgf,
              std::string signature, std::string digest, int padding, int salt) {
    const Context context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    CHECK_EQUAL(EVP_PKEY_verify_init(context.get()), 1);
    CHECK_EQUAL(EVP_PKEY_CTX_set_rsa_padding(context.get(), padding), 1);
    CHECK_EQUAL(EVP_PKEY_CTX_set_signature_md(context.get(), EVP_get_digestbyname(algorithm.name)),
                1);
    if (mgf != nullptr) {
        CHECK_EQUAL(EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EVP_get_digestbyname(mgf->name)),
                    1);
        CHECK_EQUAL(EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), salt), 1);
    }
    return EVP_PKEY_verify(context.get(), bytes(signature), signature.size(), bytes(digest),
                           digest.size()) == 1;
}

void digest_info_is_that_of_rfc_8017() {
    CHECK_EQUAL(demail::hex(digest_info(*digest_algorithm("SHA256"), "")),
                "3031300d060960864801650304020105000420");
    CHECK_EQUAL(demail::hex(digest_info(*digest_algorithm("SHA384"), "")),
                "3041300d060960864801650304020205000430");
    CHECK_EQUAL(demail::hex(digest_info(*digest_algorithm("SHA512"), "")),
                "3051300d060960864801650304020305000440");
}

void digests_are_known_by_all_their_names_and_weak_ones_not_at_all() {
    for (const char *name : {"SHA256", "sha256", "SHA2-256", "2.16.840.1.101.3.4.2.1"})
        CHECK_EQUAL(digest_algorithm(name)->size, 32U);
    for (const char *name : {"SHA1", "MD5", "SHA224", "SHA3-256", "", "nonsense"})
        CHECK(digest_algorithm(name) == nullptr);
}

void openssl_verifies_what_was_padded_here() {
    // 8k, 8k + 1 and 8k + 2 bits: the encoded message is a byte shorter, or its first bits are
    // zero.
    for (const unsigned bits : {2048U, 2049U, 2050U}) {
        const Key key = rsa_key(bits);
        CHECK_EQUAL(static_cast<unsigned>(EVP_PKEY_get_bits(key.get())), bits);
        for (const char *name : {"SHA256", "SHA384", "SHA512"}) {
            const DigestAlgorithm &algorithm = *digest_algorithm(name);
            const std::string digest(algorithm.size, 'd');
            const auto pkcs1 = pkcs1_block(digest_info(algorithm, digest), (bits + 7) / 8);
            CHECK(verifies(key.get(), algorithm, nullptr, raw_rsa(key.get(), *pkcs1), digest,
                           RSA_PKCS1_PADDING, 0));
            for (const std::size_t salt : {std::size_t{0}, std::size_t{20}, algorithm.size}) {
                const auto pss = pss_block(algorithm, algorithm, digest, salt, bits);
                CHECK(verifies(key.get(), algorithm, &algorithm, raw_rsa(key.get(), *pss), digest,
                               RSA_PKCS1_PSS_PADDING, static_cast<int>(salt)));
            }
        }
    }
}

void the_mask_may_use_another_digest() {
    const Key key = make_key("RSA");
    const DigestAlgorithm &sha256 = *digest_algorithm("SHA256"),
                          &sha512 = *digest_algorithm("SHA512");
    const std::string digest(32, 'd');
    const std::string signature = raw_rsa(key.get(), *pss_block(sha256, sha512, digest, 32, 2048));
    CHECK(verifies(key.get(), sha256, &sha512, signature, digest, RSA_PKCS1_PSS_PADDING, 32));
    CHECK(!verifies(key.get(), sha256, &sha256, signature, digest, RSA_PKCS1_PSS_PADDING, 32));
}

void a_salt_is_new_each_time() {
    const DigestAlgorithm &sha256 = *digest_algorithm("SHA256");
    const std::string digest(32, 'd');
    CHECK(*pss_block(sha256, sha256, digest, 32, 2048) !=
          *pss_block(sha256, sha256, digest, 32, 2048));
}

void what_does_not_fit_is_refused() {
    CHECK(pkcs1_block(std::string(245, 'x'), 256));
    CHECK(!pkcs1_block(std::string(246, 'x'), 256));
    CHECK(!pkcs1_block("", 10));
    const DigestAlgorithm &sha512 = *digest_algorithm("SHA512");
    const std::string digest(64, 'd');
    CHECK(pss_block(sha512, sha512, digest, 62, 1024));
    CHECK(!pss_block(sha512, sha512, digest, 63, 1024));
    CHECK(!pss_block(sha512, sha512, digest, 0, 256));
}

} // namespace

int main() {
    return run("digest_info",
               {TEST(digest_info_is_that_of_rfc_8017),
                TEST(digests_are_known_by_all_their_names_and_weak_ones_not_at_all),
                TEST(openssl_verifies_what_was_padded_here), TEST(the_mask_may_use_another_digest),
                TEST(a_salt_is_new_each_time), TEST(what_does_not_fit_is_refused)});
}
