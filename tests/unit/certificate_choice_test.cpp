#include "base/certificate_time.hpp"
#include "certificates.hpp"
#include "check.hpp"
#include "crypto/certificate_choice.hpp"

using namespace demail::crypto;
using namespace demail::test;

namespace {

EVP_PKEY *key() {
    static const Key one = make_key("P-256");
    return one.get();
}

Suitability judged(const CertificateWish &wish, HasKey has = HasKey::yes) {
    return judge(make_certificate(key(), wish).get(), has, std::time(nullptr));
}

CertificateWish with_uses(std::string key_usage, std::string extended) {
    CertificateWish wish;
    wish.key_usage = std::move(key_usage);
    wish.extended_key_usage = std::move(extended);
    return wish;
}

CertificateWish valid(long from, long until) {
    CertificateWish wish;
    wish.from_days = from;
    wish.until_days = until;
    return wish;
}

constexpr const char *smartcard_logon = "1.3.6.1.4.1.311.20.2.2";

void client_authentication_comes_before_smartcard_logon_before_plain_signing() {
    const std::vector<Suitability> all{judged(with_uses("", "")),
                                       judged(with_uses("digitalSignature", "")),
                                       judged(with_uses("digitalSignature", "anyExtendedKeyUsage")),
                                       judged(with_uses("digitalSignature", smartcard_logon)),
                                       judged(with_uses("digitalSignature", "clientAuth"))};
    for (std::size_t i = 0; i < all.size(); ++i) {
        CHECK(all[i].rank > 0);
        if (i > 0) CHECK(all[i].rank > all[i - 1].rank);
    }
    CHECK_EQUAL(*choose(all), 4U);
    CHECK_EQUAL(all[4].reason, "it is for clientAuth");
    CHECK_EQUAL(all[3].reason, "it is for smartcardLogon");
}

void several_uses_count_by_the_best() {
    CHECK_EQUAL(judged(with_uses("digitalSignature,nonRepudiation",
                                 std::string("emailProtection,clientAuth,") + smartcard_logon))
                    .reason,
                "it is for clientAuth");
}

void a_certificate_for_other_uses_is_not_taken() {
    CHECK_EQUAL(judged(with_uses("digitalSignature", "serverAuth,emailProtection")).rank, 0);
    CHECK_EQUAL(judged(with_uses("keyEncipherment", "clientAuth")).rank, 0);
    CHECK_EQUAL(judged(with_uses("nonRepudiation", "clientAuth")).reason,
                "its key usage has no digitalSignature");
}

void a_certificate_outside_its_validity_is_not_taken() {
    CHECK_EQUAL(judged(valid(-10, -1)).rank, 0);
    CHECK_EQUAL(judged(valid(-10, -1)).reason,
                "it expired on " + demail::date_text(std::time(nullptr) - 86400));
    CHECK_EQUAL(judged(valid(2, 10)).reason,
                "it is not valid before " + demail::date_text(std::time(nullptr) + 2 * 86400));
}

void a_ca_certificate_is_not_taken() {
    CertificateWish wish;
    wish.ca = true;
    CHECK_EQUAL(judged(wish).reason, "it is a CA certificate");
}

void a_certificate_without_a_key_is_not_taken_but_one_whose_key_is_hidden_is() {
    CHECK_EQUAL(judged({}, HasKey::no).rank, 0);
    CHECK(judged({}, HasKey::unknown).rank > 0);
}

void of_equals_the_one_that_lives_longer_is_taken() {
    CHECK_EQUAL(*choose({judged(valid(-1, 10)), judged(valid(-1, 20)), judged(valid(-1, 15))}), 1U);
    CHECK_EQUAL(*choose({judged(valid(-1, 10)), judged(valid(-9, -1))}), 0U);
    CHECK(!choose({judged(valid(-9, -1)), judged({}, HasKey::no)}));
    CHECK(!choose({}));
}

void uses_are_listed_for_people() {
    CHECK_EQUAL(
        judged(with_uses("digitalSignature,keyEncipherment", std::string("clientAuth,1.2.3.4")))
            .uses,
        "digitalSignature, keyEncipherment, clientAuth, 1.2.3.4");
    CHECK_EQUAL(judged(with_uses("", "")).uses, "");
}

void a_subject_cannot_write_on_the_terminal() {
    CertificateWish wish;
    wish.common_name = "firm\n\x1b[31m";
    const Certificate certificate = make_certificate(key(), wish);
    for (const char c : name_text(X509_get_subject_name(certificate.get())))
        CHECK(static_cast<unsigned char>(c) >= 0x20);
    wish.common_name = "B\xc3\xbcro";
    CHECK_EQUAL(name_text(X509_get_subject_name(make_certificate(key(), wish).get())),
                "CN=B\xc3\xbcro");
}

} // namespace

int main() {
    return run(
        "certificate_choice",
        {TEST(client_authentication_comes_before_smartcard_logon_before_plain_signing),
         TEST(several_uses_count_by_the_best), TEST(a_certificate_for_other_uses_is_not_taken),
         TEST(a_certificate_outside_its_validity_is_not_taken), TEST(a_ca_certificate_is_not_taken),
         TEST(a_certificate_without_a_key_is_not_taken_but_one_whose_key_is_hidden_is),
         TEST(of_equals_the_one_that_lives_longer_is_taken), TEST(uses_are_listed_for_people),
         TEST(a_subject_cannot_write_on_the_terminal)});
}
