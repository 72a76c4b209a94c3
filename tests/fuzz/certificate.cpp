// A certificate as a token gives it: our reading of it, and what it prints for people.
#include "base/certificate_time.hpp"
#include "base/handle.hpp"
#include "crypto/certificate_choice.hpp"
#include "fuzz.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>

namespace demail::fuzz {
namespace {

bool shown_on_one_line(std::string_view text) {
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

} // namespace

void certificate(std::string_view der) {
    const auto *bytes = reinterpret_cast<const unsigned char *>(der.data());
    const Handle<X509, X509_free> certificate(
        d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
    ERR_clear_error();
    if (!certificate) return;
    constexpr std::time_t now = 1780315200; // 2026-06-01
    using crypto::HasKey;
    std::vector<crypto::Suitability> judged;
    for (const HasKey key : {HasKey::no, HasKey::unknown, HasKey::yes}) {
        judged.push_back(crypto::judge(certificate.get(), key, now));
        HOLDS(judged.back().rank >= 0);
        HOLDS(!judged.back().reason.empty() && shown_on_one_line(judged.back().reason));
        HOLDS(shown_on_one_line(judged.back().uses));
        HOLDS(shown_on_one_line(date_text(judged.back().until)));
    }
    HOLDS(judged.front().rank == 0); // without a key
    HOLDS(judged[1].rank == judged[2].rank);
    std::time_t moment = now;
    if (judged.back().rank > 0) {
        HOLDS(X509_cmp_time(X509_get0_notBefore(certificate.get()), &moment) < 0);
        HOLDS(X509_cmp_time(X509_get0_notAfter(certificate.get()), &moment) > 0);
        HOLDS((X509_get_extension_flags(certificate.get()) & EXFLAG_INVALID) == 0);
        HOLDS(X509_check_ca(certificate.get()) != 1);
    }
    const auto chosen = crypto::choose(judged);
    HOLDS(chosen.has_value() == (judged.back().rank > 0));
    HOLDS(!chosen || judged[*chosen].rank == judged.back().rank);
    for (const X509_NAME *name :
         {X509_get_subject_name(certificate.get()), X509_get_issuer_name(certificate.get())})
        HOLDS(shown_on_one_line(crypto::name_text(name)));
}

} // namespace demail::fuzz
