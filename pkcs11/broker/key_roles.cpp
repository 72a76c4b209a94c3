#include "broker/key_roles.hpp"

#include "base/handle.hpp"
#include "broker/rsa.hpp"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace demail::broker {
namespace {

/// By KeyRole.
constexpr std::array<std::string_view, 3> labels{"demail-auth", "demail-sign", "demail-enc"};

std::string number_of(const EVP_PKEY &key, const char *name) {
    BIGNUM *raw = nullptr;
    if (EVP_PKEY_get_bn_param(&key, name, &raw) != 1) return {};
    const Handle<BIGNUM, BN_free> number(raw);
    std::string bytes(static_cast<std::size_t>(BN_num_bytes(raw)), '\0');
    BN_bn2bin(raw, reinterpret_cast<unsigned char *>(bytes.data()));
    return bytes;
}

std::string der_of(X509 &certificate) {
    unsigned char *der = nullptr;
    const int size = i2d_X509(&certificate, &der);
    if (size <= 0) return {};
    std::string bytes(reinterpret_cast<const char *>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return bytes;
}

bool in_time(const X509 &certificate) {
    return X509_cmp_current_time(X509_get0_notBefore(&certificate)) < 0 &&
           X509_cmp_current_time(X509_get0_notAfter(&certificate)) > 0;
}

/// What the key is for, by its certificate.
KeyRole role_of(X509 &certificate, KeyRole otherwise) {
    if (X509_get_ext_by_NID(&certificate, NID_key_usage, -1) >= 0) {
        const std::uint32_t usage = X509_get_key_usage(&certificate);
        if ((usage & KU_NON_REPUDIATION) != 0) return KeyRole::sign;
        if ((usage & KU_DIGITAL_SIGNATURE) != 0) return KeyRole::authenticate;
        if ((usage & (KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT)) != 0) return KeyRole::encipher;
    }
    return otherwise;
}

} // namespace

void add_keys(CardFacts &facts, const std::vector<KeyCandidate> &candidates) {
    std::array<std::optional<std::size_t>, 3> taken; // by whose PIN
    for (const KeyCandidate &candidate : candidates) {
        std::vector<X509 *> own = candidate.certificates;
        std::stable_partition(own.begin(), own.end(), [](X509 *one) { return in_time(*one); });
        if (own.empty()) continue;
        const EVP_PKEY *public_key = X509_get0_pubkey(own.front());
        if (public_key == nullptr || EVP_PKEY_is_a(public_key, "RSA") != 1) continue;
        KeyFacts one;
        one.place = candidate.place;
        one.pin = candidate.pin;
        one.key.id = candidate.id;
        one.key.modulus = number_of(*public_key, OSSL_PKEY_PARAM_RSA_N);
        one.key.public_exponent = number_of(*public_key, OSSL_PKEY_PARAM_RSA_E);
        one.public_key = RsaPublicKey::make(one.key.modulus, one.key.public_exponent);
        if (one.public_key == nullptr) continue;
        const KeyRole role = role_of(*own.front(), candidate.role);
        // A token that was made for us has its keys named already.
        const auto named = std::find(labels.begin(), labels.end(), candidate.name);
        const auto place = named == labels.end() ? static_cast<std::size_t>(role)
                                                 : static_cast<std::size_t>(named - labels.begin());
        auto &holder = taken.at(place);
        if (candidate.whole_digests && !holder) {
            holder = candidate.pin;
            one.key.label = labels.at(place);
        } else {
            one.key.label = candidate.name;
        }
        one.key.may_decrypt = candidate.whole_digests && role == KeyRole::encipher;
        one.key.may_sign = !one.key.may_decrypt;
        int number = 0;
        for (X509 *certificate : own) {
            std::string label = one.key.label;
            if (++number > 1) label += fmt::format(" {}", number);
            facts.certificates.push_back({std::move(label), one.key.id, der_of(*certificate)});
        }
        facts.keys.push_back(std::move(one));
    }
    // The PIN that a person is asked for first is that of the first role that is there.
    if (!facts.keys.empty()) facts.main_pin = facts.keys.front().pin;
    const auto first =
        std::find_if(taken.begin(), taken.end(), [](const auto &pin) { return pin.has_value(); });
    if (first != taken.end()) facts.main_pin = **first;
}

} // namespace demail::broker
