#include "reply_signer.hpp"

#include <string_view>

namespace demail::fuzz {
namespace {

constexpr std::string_view key_text = R"(
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgvlMO+rfwMydp2YdH
pSNGdshYZRHNB540y/F6L5UHEYOhRANCAARsOvdYc8dby19sAjXhSzAjWhMtxNEI
XxKJZj7oirZqJE9Wa9zfouMevnbZB7xNsrG7c0pTHzhKaMAhoiNd5JBE
-----END PRIVATE KEY-----
)";
constexpr std::string_view certificate_text = R"(
-----BEGIN CERTIFICATE-----
MIIBQjCB6aADAgECAgEBMAoGCCqGSM49BAMCMCsxKTAnBgNVBAMMIHJlcGx5IHNp
Z25lciBvZiB0aGUgZnV6eiB0YXJnZXRzMB4XDTIwMDEwMTAwMDAwMFoXDTQ5MTIz
MTAwMDAwMFowKzEpMCcGA1UEAwwgcmVwbHkgc2lnbmVyIG9mIHRoZSBmdXp6IHRh
cmdldHMwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARsOvdYc8dby19sAjXhSzAj
WhMtxNEIXxKJZj7oirZqJE9Wa9zfouMevnbZB7xNsrG7c0pTHzhKaMAhoiNd5JBE
MAoGCCqGSM49BAMCA0gAMEUCIELJv4n+7iUNKx2PN8dtWleLJgZDFJBRL4ICe59r
0ctDAiEA7fj5iexCDpw3B3VCxVtV/nXfMvOd18Y1pPWsY3yWq4w=
-----END CERTIFICATE-----
)";

Handle<BIO, BIO_free_all> memory(std::string_view text) {
    return Handle<BIO, BIO_free_all>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

} // namespace

const test::SoftwareKey &reply_signer() {
    static const test::SoftwareKey key(
        test::Pkey(PEM_read_bio_PrivateKey(memory(key_text).get(), nullptr, nullptr, nullptr)),
        test::Certificate(
            PEM_read_bio_X509(memory(certificate_text).get(), nullptr, nullptr, nullptr)));
    return key;
}

} // namespace demail::fuzz
