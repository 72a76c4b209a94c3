// BER-TLV and certificates in a card's files.
#include "check.hpp"
#include "netkey_script.hpp"
#include "tcos/ber.hpp"

#include <openssl/x509.h>

#include <random>

using namespace demail::tcos;
using namespace demail::test;

namespace {

std::string der_of(X509 *certificate) {
    unsigned char *bytes = nullptr;
    const int size = i2d_X509(certificate, &bytes);
    std::string der(reinterpret_cast<const char *>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    return der;
}

const std::string &a_certificate() {
    static const std::string der = [] {
        const demail::test::Key key = make_key("RSA");
        return der_of(make_certificate(key.get(), {}).get());
    }();
    return der;
}

// SEQUENCE { OID, certificate }, as Telesec's own certificates are stored.
std::string with_oid(const std::string &der) {
    const std::string inside = demail::from_hex("0603550403").value() + der;
    std::string out = "\x30\x82";
    out += static_cast<char>(inside.size() >> 8U);
    out += static_cast<char>(inside.size() & 0xffU);
    return out + inside;
}

std::string outcome(std::string_view file) {
    const auto found = certificate_in(bytes_of(file));
    if (const auto *why = std::get_if<NoCertificate>(&found)) return text(*why);
    return der_of(std::get<demail::tcos::Certificate>(found).get()) == a_certificate() ? "it"
                                                                                       : "another";
}

std::string taken(std::string_view hex_text) {
    const Bytes bytes = octets(hex_text);
    View rest = bytes;
    const auto tlv = take_tlv(rest);
    if (!tlv) return rest.size() == bytes.size() ? "none" : "none, but something is gone";
    char tag[8];
    std::snprintf(tag, sizeof tag, "%x", tlv->tag);
    return std::string(tag) + ":" + text_hex(tlv->value) + " then " + text_hex(rest);
}

void tags_and_lengths_are_read_in_every_form() {
    CHECK_EQUAL(taken("5a0201029000"), "5a:0102 then 9000");
    CHECK_EQUAL(taken("7f4900"), "7f49: then ");
    CHECK_EQUAL(taken("30810101"), "30:01 then ");
    CHECK_EQUAL(taken("3082000101"), "30:01 then ");
    CHECK_EQUAL(taken("308300000101"), "30:01 then ");
}

void what_is_malformed_is_none() {
    for (const char *bad :
         {"", "5a", "5a02", "5a0201", "0001", "ff0100", "3080", "308400000001aa", "3081", "308201",
          "7f", "7f49", "7f8101", "7f1e00", "3083ffffff00", "30820400aa"})
        CHECK_EQUAL(taken(bad), "none");
}

void a_path_finds_the_first_of_each() {
    const Bytes record = octets("a00a8301829002030390010a"
                                "b600");
    CHECK_EQUAL(text_hex(*find(record, {0xa0, 0x83})), "82");
    CHECK_EQUAL(text_hex(*find(record, {0xa0, 0x90})), "0303");
    CHECK_EQUAL(find(record, {0xb6})->size(), 0U);
    CHECK(!find(record, {0xb8}));
    CHECK(!find(record, {0xa0, 0x84}));
    CHECK(!find(octets("a0048301829000"), {0xa0, 0x90}));
}

void random_bytes_never_reach_behind_their_end() {
    std::mt19937 random(8825);
    for (int i = 0; i < 20000; ++i) {
        Bytes bytes(random() % 40);
        for (unsigned char &octet : bytes)
            octet = static_cast<unsigned char>(random() % 3 == 0 ? random() : random() % 8);
        View rest = bytes;
        std::size_t taken_bytes = 0;
        while (const auto tlv = take_tlv(rest)) {
            CHECK(tlv->value.size() < tlv->whole.size());
            taken_bytes += tlv->whole.size();
        }
        CHECK_EQUAL(taken_bytes + rest.size(), bytes.size());
    }
}

void a_certificate_is_found_in_every_form_it_has_on_cards() {
    const std::string &der = a_certificate();
    CHECK_EQUAL(outcome(der), "it");
    CHECK_EQUAL(outcome(with_oid(der)), "it");
    for (const char filling : {'\0', '\xff', 'x'}) {
        CHECK_EQUAL(outcome(der + std::string(500, filling)), "it");
        CHECK_EQUAL(outcome(with_oid(der) + std::string(500, filling)), "it");
    }
}

void a_file_without_one_says_why() {
    CHECK_EQUAL(outcome(""), "empty");
    CHECK_EQUAL(outcome(std::string(2048, '\0')), "empty");
    CHECK_EQUAL(outcome(std::string(2048, '\xff')), "empty");
    CHECK_EQUAL(outcome("hello, card"), "no certificate");
    CHECK_EQUAL(outcome(std::string("\x30\x82\x40\x00", 4) + std::string(9000, 'x')),
                "too long for a certificate");
    std::string changed = a_certificate();
    changed[4] = '\x31'; // the TBSCertificate is a SEQUENCE no more
    CHECK_EQUAL(outcome(changed), "no certificate");
}

void a_certificate_cut_off_anywhere_is_none() {
    for (const std::string &whole : {a_certificate(), with_oid(a_certificate())})
        for (std::size_t size = 0; size < whole.size(); ++size)
            CHECK(outcome(whole.substr(0, size)) != "it");
}

void the_first_bytes_tell_how_much_to_read() {
    const std::string &der = a_certificate();
    CHECK_EQUAL(std::get<std::size_t>(content_size(bytes_of(der).first(8))), der.size());
    CHECK_EQUAL(std::get<std::size_t>(content_size(bytes_of(with_oid(der)).first(8))),
                with_oid(der).size());
}

} // namespace

int main() {
    return run("tcos_files",
               {TEST(tags_and_lengths_are_read_in_every_form), TEST(what_is_malformed_is_none),
                TEST(a_path_finds_the_first_of_each),
                TEST(random_bytes_never_reach_behind_their_end),
                TEST(a_certificate_is_found_in_every_form_it_has_on_cards),
                TEST(a_file_without_one_says_why), TEST(a_certificate_cut_off_anywhere_is_none),
                TEST(the_first_bytes_tell_how_much_to_read)});
}
