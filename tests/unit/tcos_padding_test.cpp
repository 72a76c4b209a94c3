// Taking padding off, against OpenSSL's putting it on.
#include "certificates.hpp"
#include "check.hpp"
#include "netkey_script.hpp"
#include "tcos/padding.hpp"

#include <openssl/rsa.h>

#include <functional>
#include <set>

using namespace demail;
using namespace demail::tcos;
using namespace demail::test;

namespace {

using Context = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

unsigned char *writable(std::string &text) {
    return reinterpret_cast<unsigned char *>(text.data());
}

EVP_PKEY *rsa_key() {
    static const test::Key key = make_key("RSA");
    return key.get();
}

std::string encrypted(std::string message, int padding,
                      const std::function<void(EVP_PKEY_CTX *)> &more = {}) {
    const Context context(EVP_PKEY_CTX_new_from_pkey(nullptr, rsa_key(), nullptr));
    CHECK_EQUAL(EVP_PKEY_encrypt_init(context.get()), 1);
    CHECK_EQUAL(EVP_PKEY_CTX_set_rsa_padding(context.get(), padding), 1);
    if (more) more(context.get());
    std::string out(256, '\0');
    std::size_t size = out.size();
    CHECK_EQUAL(
        EVP_PKEY_encrypt(context.get(), writable(out), &size, writable(message), message.size()),
        1);
    return out;
}

// What a card gives back.
Secret raw(std::string cryptogram) {
    const Context context(EVP_PKEY_CTX_new_from_pkey(nullptr, rsa_key(), nullptr));
    CHECK_EQUAL(EVP_PKEY_decrypt_init(context.get()), 1);
    CHECK_EQUAL(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING), 1);
    std::string out(256, '\0');
    std::size_t size = out.size();
    CHECK_EQUAL(EVP_PKEY_decrypt(context.get(), writable(out), &size, writable(cryptogram),
                                 cryptogram.size()),
                1);
    return Secret::copy_of(out);
}

const Bytes rejection_key(32, 0x42);

std::string unpadded(std::string_view block, std::string_view cryptogram,
                     View key = rejection_key) {
    return std::string(unpad_pkcs1(Secret::copy_of(block), bytes_of(cryptogram), key).view());
}

std::string pkcs1_type_2(const std::string &filling, const std::string &message) {
    return std::string("\0\2", 2) + filling + std::string(1, '\0') + message;
}

void what_openssl_encrypts_by_pkcs1_is_unpadded() {
    for (const std::size_t size : {0U, 1U, 16U, 48U, 244U, 245U}) {
        const std::string message(size, 'm');
        const std::string cryptogram = encrypted(message, RSA_PKCS1_PADDING);
        CHECK_EQUAL(
            std::string(unpad_pkcs1(raw(cryptogram), bytes_of(cryptogram), rejection_key).view()),
            message);
    }
}

// Computed by another program, which agrees with OpenSSL 3.2 on the latter's own test vector.
void a_wrong_padding_gives_the_drafts_message() {
    const std::string wrong(256, 'x');
    const std::string other = unpadded(wrong, "a cryptogram");
    CHECK_EQUAL(other.size(), 226U);
    CHECK_EQUAL(hex(view(sha256(other))),
                "24036c5eae002de9dfab823455a9d0d18936cd26c1e0f66b3021090bc55e80c1");
}

void a_wrong_padding_looks_like_a_message_and_always_the_same() {
    const std::string first_wrong(256, 'x'), second_wrong(256, 'y');
    std::set<std::string> seen;
    for (int i = 0; i < 50; ++i) {
        const std::string cryptogram = "cryptogram " + std::to_string(i);
        const std::string message = unpadded(first_wrong, cryptogram);
        CHECK(message.size() <= 245);
        CHECK_EQUAL(unpadded(second_wrong, cryptogram), message);
        seen.insert(message);
    }
    CHECK(seen.size() > 45);
    CHECK(unpadded(first_wrong, "c") != unpadded(first_wrong, "c", Bytes(32, 0x43)));
}

void every_single_fault_of_pkcs1_is_rejected() {
    const std::string good = pkcs1_type_2(std::string(200, 'f'), std::string(53, 'm'));
    CHECK_EQUAL(unpadded(good, "c"), std::string(53, 'm'));
    const std::string rejected = unpadded(std::string(256, 'x'), "c");
    std::string bad = good;
    bad[0] = '\1';
    CHECK_EQUAL(unpadded(bad, "c"), rejected);
    bad = good;
    bad[1] = '\1';
    CHECK_EQUAL(unpadded(bad, "c"), rejected);
    for (std::size_t at = 2; at < 10; ++at) { // fewer than eight bytes of filling
        bad = good;
        bad[at] = '\0';
        CHECK_EQUAL(unpadded(bad, "c"), rejected);
    }
    bad = good;
    bad[10] = '\0';
    CHECK_EQUAL(unpadded(bad, "c").size(), 245U);
    CHECK_EQUAL(unpadded(pkcs1_type_2(std::string(253, 'f'), ""), "c"), "");
    CHECK_EQUAL(unpadded(std::string("\0\2", 2) + std::string(254, 'f'), "c"), rejected);
    CHECK_EQUAL(unpadded(std::string("\0\2", 2), "c"), "");
}

void what_openssl_encrypts_by_oaep_is_unpadded() {
    struct Form {
        const char *digest, *mgf;
        CK_MECHANISM_TYPE mechanism;
        CK_RSA_PKCS_MGF_TYPE mask;
        std::string label;
    };
    for (const Form &form : {Form{"SHA1", "SHA1", CKM_SHA_1, CKG_MGF1_SHA1, ""},
                             Form{"SHA256", "SHA256", CKM_SHA256, CKG_MGF1_SHA256, ""},
                             Form{"SHA256", "SHA1", CKM_SHA256, CKG_MGF1_SHA1, "a label"},
                             Form{"SHA512", "SHA384", CKM_SHA512, CKG_MGF1_SHA384, "another"}}) {
        const DigestAlgorithm &digest = *oaep_digest(form.mechanism);
        const DigestAlgorithm &mask = *oaep_mask(form.mask);
        for (const std::size_t size : {std::size_t{0}, std::size_t{1}, 254 - 2 * digest.size}) {
            const std::string message(size, 'm');
            const std::string cryptogram =
                encrypted(message, RSA_PKCS1_OAEP_PADDING, [&](EVP_PKEY_CTX *context) {
                    EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_get_digestbyname(form.digest));
                    EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_get_digestbyname(form.mgf));
                    if (form.label.empty()) return;
                    void *const label = OPENSSL_memdup(form.label.data(), form.label.size());
                    EVP_PKEY_CTX_set0_rsa_oaep_label(context, label,
                                                     static_cast<int>(form.label.size()));
                });
            const Secret block = raw(cryptogram);
            const auto found = unpad_oaep(block, digest, mask, bytes_of(form.label));
            CHECK(found);
            CHECK_EQUAL(found->view(), message);
            CHECK(!unpad_oaep(block, digest, mask, bytes_of("wrong label")));
        }
    }
}

void a_change_anywhere_in_an_oaep_block_is_seen() {
    const std::string cryptogram =
        encrypted("session key", RSA_PKCS1_OAEP_PADDING); // SHA-1, the default
    const Secret block = raw(cryptogram);
    const DigestAlgorithm &sha1 = *oaep_digest(CKM_SHA_1);
    for (std::size_t at = 0; at < block.size(); ++at) {
        Secret changed = Secret::copy_of(block.view());
        changed.data()[at] = static_cast<char>(changed.data()[at] ^ 0x10);
        const auto found = unpad_oaep(changed, sha1, sha1, {});
        // Behind the 01 stands the message itself, which OAEP does not protect.
        if (at < block.size() - 11) CHECK(!found);
    }
    CHECK(!unpad_oaep(Secret::copy_of(block.view().substr(0, 41)), sha1, sha1, {}));
    CHECK(!unpad_oaep(Secret(), sha1, sha1, {}));
}

void unknown_digests_are_not_had() {
    CHECK(oaep_digest(CKM_MD5) == nullptr);
    CHECK(oaep_mask(CKG_MGF1_SHA224) == nullptr);
}

} // namespace

int main() {
    return run("tcos_padding", {TEST(what_openssl_encrypts_by_pkcs1_is_unpadded),
                                TEST(a_wrong_padding_gives_the_drafts_message),
                                TEST(a_wrong_padding_looks_like_a_message_and_always_the_same),
                                TEST(every_single_fault_of_pkcs1_is_rejected),
                                TEST(what_openssl_encrypts_by_oaep_is_unpadded),
                                TEST(a_change_anywhere_in_an_oaep_block_is_seen),
                                TEST(unknown_digests_are_not_had)});
}
