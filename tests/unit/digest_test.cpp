// Digests against the vectors of their standards.
#include "base/digest.hpp"
#include "check.hpp"

using namespace demail;

namespace {

std::string bytes(std::string_view hex_digits) {
    return from_hex(hex_digits).value();
}

template <std::size_t N>
std::string hex_of(const std::array<unsigned char, N> &digest) {
    return hex(view(digest));
}

} // namespace

// FIPS 180-4 examples (NIST CSRC, "SHA256.pdf")
static void sha_256_gives_the_vectors_of_nist() {
    CHECK_EQUAL(hex_of(sha256("")),
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK_EQUAL(hex_of(sha256("abc")),
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK_EQUAL(hex_of(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void a_stream_in_pieces_has_the_digest_of_the_whole_and_starts_anew() {
    Sha256 stream;
    stream.update("a");
    stream.update("");
    stream.update("bc");
    CHECK(stream.finish() == sha256("abc"));
    CHECK(stream.finish() == sha256(""));
    stream.update("abc");
    CHECK(stream.finish() == sha256("abc"));
}

// RFC 4231 4.2-4.4, 4.7, 4.8
static void hmac_gives_the_vectors_of_rfc_4231() {
    CHECK_EQUAL(hex_of(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    CHECK_EQUAL(hex_of(hmac_sha256("Jefe", "what do ya want for nothing?")),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    CHECK_EQUAL(hex_of(hmac_sha256(std::string(20, '\xaa'), std::string(50, '\xdd'))),
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    CHECK_EQUAL(hex_of(hmac_sha256(std::string(131, '\xaa'),
                                   "Test Using Larger Than Block-Size Key - Hash Key First")),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    CHECK_EQUAL(hex_of(hmac_sha256(std::string(131, '\xaa'),
                                   "This is a test using a larger than block-size key and a larger "
                                   "than block-size data. The key needs to be hashed before being "
                                   "used by the HMAC algorithm.")),
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

static void an_empty_hmac_key_is_a_key() {
    CHECK_EQUAL(hex_of(hmac_sha256("", "")),
                "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    CHECK(hmac_sha256({}, {}) == hmac_sha256("", ""));
}

// RFC 5869 A.3 (no salt, no info), first 32 octets; and HKDF's two steps written out.
static void hkdf_gives_the_vector_of_rfc_5869() {
    const std::string key(22, '\x0b');
    CHECK_EQUAL(hex_of(hkdf_sha256(key, "")),
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
    const auto extracted = hmac_sha256(std::string(32, '\0'), key);
    CHECK(hkdf_sha256(key, "demail-gateway seal") ==
          hmac_sha256(view(extracted), std::string("demail-gateway seal") + '\x01'));
}

static void equal_compares_content_and_length() {
    CHECK(equal_constant_time("", ""));
    CHECK(equal_constant_time("same", "same"));
    CHECK(!equal_constant_time("same", "sama"));
    CHECK(!equal_constant_time("same", "sam"));
    CHECK(!equal_constant_time(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
}

static void random_bytes_differ() {
    std::array<unsigned char, 32> a{};
    std::array<unsigned char, 32> b{};
    random_bytes(a.data(), a.size());
    random_bytes(b.data(), b.size());
    CHECK(a != b);
    CHECK((a != std::array<unsigned char, 32>{}));
}

static void hex_reads_both_cases_and_nothing_else() {
    CHECK_EQUAL(hex(std::string_view("\x00\x7f\xff", 3)), "007fff");
    CHECK_EQUAL(from_hex("007FfF").value(), std::string("\x00\x7f\xff", 3));
    CHECK_EQUAL(from_hex("").value(), "");
    for (const char *text : {"0", "0g", "0x", " 00", "00 ", "+1", "-1"})
        CHECK(!from_hex(text).has_value());
}

// RFC 4648 10
static void base64_gives_the_vectors_of_rfc_4648() {
    const std::pair<const char *, const char *> vectors[] = {{"", ""},
                                                             {"f", "Zg=="},
                                                             {"fo", "Zm8="},
                                                             {"foo", "Zm9v"},
                                                             {"foob", "Zm9vYg=="},
                                                             {"fooba", "Zm9vYmE="},
                                                             {"foobar", "Zm9vYmFy"}};
    for (const auto &[plain, encoded] : vectors) {
        CHECK_EQUAL(base64(plain), encoded);
        CHECK_EQUAL(from_base64(encoded).value(), plain);
        std::string unpadded(encoded);
        while (unpadded.ends_with('='))
            unpadded.pop_back();
        CHECK_EQUAL(base64url(plain), unpadded);
        CHECK_EQUAL(from_base64url(unpadded).value(), plain);
    }
}

static void the_url_alphabet_ends_in_hyphen_and_underscore() {
    CHECK_EQUAL(base64(bytes("fbefbe")), "++++");
    CHECK_EQUAL(base64url(bytes("fbefbe")), "----");
    CHECK_EQUAL(base64(bytes("ffffff")), "////");
    CHECK_EQUAL(base64url(bytes("ffffff")), "____");
    CHECK_EQUAL(from_base64url("____").value(), bytes("ffffff"));
}

static void base64url_is_strict() {
    for (const char *text : {"Zg==", "Zm8=", "Zg ", "Z", "Zm9vY", "+/+/", "Zh", "Zm9", "Zm 9v",
                             "Zg\n", "Zm9v\xc3\xa4"})
        CHECK(!from_base64url(text).has_value());
    CHECK(!from_base64url(std::string_view("Zm\0v", 4)).has_value());
}

static void base64_skips_blanks_and_line_breaks_alone() {
    CHECK_EQUAL(from_base64(" Zm9v\r\n\tYg = =\n").value(), "foob");
    for (const char *text :
         {"Zg", "Zg=", "Zg===", "Z===", "====", "=Zg=", "Zg==Zg==", "Zm9v-_", "Zh==", "Zm9v!"})
        CHECK(!from_base64(text).has_value());
}

static void every_octet_survives_each_text_form() {
    std::string all;
    for (int i = 0; i < 256; ++i) {
        all += static_cast<char>(i);
        CHECK(from_hex(hex(all)) == all);
        CHECK(from_base64(base64(all)) == all);
        CHECK(from_base64url(base64url(all)) == all);
    }
}

int main() {
    return demail::test::run(
        "digest", {TEST(sha_256_gives_the_vectors_of_nist),
                   TEST(a_stream_in_pieces_has_the_digest_of_the_whole_and_starts_anew),
                   TEST(hmac_gives_the_vectors_of_rfc_4231), TEST(an_empty_hmac_key_is_a_key),
                   TEST(hkdf_gives_the_vector_of_rfc_5869), TEST(equal_compares_content_and_length),
                   TEST(random_bytes_differ), TEST(hex_reads_both_cases_and_nothing_else),
                   TEST(base64_gives_the_vectors_of_rfc_4648),
                   TEST(the_url_alphabet_ends_in_hyphen_and_underscore), TEST(base64url_is_strict),
                   TEST(base64_skips_blanks_and_line_breaks_alone),
                   TEST(every_octet_survives_each_text_form)});
}
