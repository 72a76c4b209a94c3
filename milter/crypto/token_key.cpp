#include "crypto/token_key.hpp"

#include "crypto/certificate_choice.hpp"
#include "crypto/key_on_token.hpp"
#include "crypto/openssl_provider.hpp"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>
#include <ctime>

namespace demail::crypto {
namespace {

using Reason = TokenUnavailable::Reason;
using Certificate = Handle<X509, X509_free>;
using Certificates = std::vector<TokenCertificate>;

constexpr std::size_t longest_chain = 8;

struct Found {
    KeyName key;
    Certificate certificate;
    std::vector<Certificate> chain;
    bool token_has_pss = false;
};

Certificate share(X509 *certificate) {
    return Certificate(X509_up_ref(certificate) == 1 ? certificate : nullptr);
}

std::string modulus_of(const EVP_PKEY *key) {
    BIGNUM *n = nullptr;
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) != 1) return "";
    const Handle<BIGNUM, BN_free> modulus(n);
    std::string bytes(static_cast<std::size_t>(BN_num_bytes(n)), '\0');
    BN_bn2bin(n, reinterpret_cast<unsigned char *>(bytes.data()));
    return bytes;
}

// A certificate of another key under the same name would only show itself as a refused handshake.
// The modulus is public (PKCS#11 2.40 2.1.3); of EC keys only the kind can be compared.
bool belongs_to(X509 *certificate, OpenToken &token, CK_OBJECT_HANDLE key) {
    const EVP_PKEY *const public_key = X509_get0_pubkey(certificate);
    const auto kind = token.attribute(key, CKA_KEY_TYPE);
    CK_KEY_TYPE type = 0;
    if (public_key == nullptr || !kind || kind->size() != sizeof type) return false;
    std::memcpy(&type, kind->data(), sizeof type);
    if (type == CKK_EC) return EVP_PKEY_is_a(public_key, "EC") == 1;
    if (type != CKK_RSA || EVP_PKEY_is_a(public_key, "RSA") != 1) return false;
    auto modulus = token.attribute(key, CKA_MODULUS);
    if (!modulus || modulus->empty()) return true;
    modulus->erase(0, std::min(modulus->find_first_not_of('\0'), modulus->size()));
    return *modulus == modulus_of(public_key);
}

// The key that the URI names; where only the certificate has that label, the key with its id.
KeyName named_key(const KeyUri &uri, OpenToken &token, const Certificates &all) {
    KeyName name{uri.object, uri.id};
    if (uri.id || !token.find(CKO_PRIVATE_KEY, name.label, name.id).empty()) return name;
    for (const TokenCertificate &one : all)
        if (one.label == *uri.object && !one.id.empty() &&
            !token.find(CKO_PRIVATE_KEY, std::nullopt, one.id).empty())
            return {std::nullopt, one.id};
    return name;
}

Found find_named(const KeyUri &uri, OpenToken &token, const Certificates &all) {
    const KeyName name = named_key(uri, token, all);
    const CK_OBJECT_HANDLE key = find_private_key(token, name);
    const std::string id = token.attribute(key, CKA_ID).value_or("");
    const std::string label = token.attribute(key, CKA_LABEL).value_or("");
    const TokenCertificate *best = nullptr;
    Suitability best_judged;
    for (const TokenCertificate &one : all) {
        const bool same_name = id.empty() || one.id.empty() ? one.label == label : one.id == id;
        if (!same_name || !belongs_to(one.certificate.get(), token, key)) continue;
        // Named by a person, it is taken even when it is no good choice; a renewed one wins.
        Suitability judged = judge(one.certificate.get(), HasKey::yes, std::time(nullptr));
        if (best != nullptr &&
            std::tie(judged.rank, judged.until) <= std::tie(best_judged.rank, best_judged.until))
            continue;
        best = &one;
        best_judged = std::move(judged);
    }
    if (best == nullptr)
        throw TokenUnavailable(Reason::no_certificate,
                               fmt::format("token \"{}\" has no certificate for its key \"{}\"",
                                           token.identity().label, label));
    return {name, share(best->certificate.get()), {}, false};
}

Found find_suitable(OpenToken &token, const Certificates &all) {
    std::vector<Suitability> judged;
    std::string reasons;
    const auto name_of = [](const TokenCertificate &one) {
        return one.id.empty() ? KeyName{one.label, std::nullopt} : KeyName{std::nullopt, one.id};
    };
    for (const TokenCertificate &one : all) {
        const KeyName name = name_of(one);
        const bool has_key = token.find(CKO_PRIVATE_KEY, name.label, name.id).size() == 1;
        judged.push_back(
            judge(one.certificate.get(), has_key ? HasKey::yes : HasKey::no, std::time(nullptr)));
        if (judged.size() <= 5)
            reasons += fmt::format("; \"{}\": {}", one.label, judged.back().reason);
    }
    const auto best = choose(judged);
    if (!best)
        throw TokenUnavailable(Reason::no_certificate,
                               fmt::format("token \"{}\" has no certificate to sign in with{}",
                                           token.identity().label, reasons));
    return {name_of(all[*best]), share(all[*best].certificate.get()), {}, false};
}

// The CA certificates of the token from the leaf upwards, without a root: the other side has it.
std::vector<Certificate> chain_of(X509 *leaf, const Certificates &all) {
    std::vector<Certificate> chain;
    X509 *current = leaf;
    while (chain.size() < longest_chain) {
        const auto issuer = std::find_if(all.begin(), all.end(), [&](const TokenCertificate &one) {
            return X509_self_signed(one.certificate.get(), 0) != 1 &&
                   X509_check_issued(one.certificate.get(), current) == X509_V_OK &&
                   X509_verify(current, X509_get0_pubkey(one.certificate.get())) == 1;
        });
        if (issuer == all.end()) break;
        chain.push_back(share(issuer->certificate.get()));
        current = chain.back().get();
    }
    return chain;
}

class KeyWithCertificate final : public TokenKey {
  public:
    KeyWithCertificate(Handle<EVP_PKEY, EVP_PKEY_free> key, Certificate certificate,
                       std::vector<Certificate> chain,
                       std::shared_ptr<const KeyOnToken> private_half)
        : key_(std::move(key)), certificate_(std::move(certificate)), chain_(std::move(chain)),
          private_half_(std::move(private_half)) {}

    EVP_PKEY *pkey() const noexcept override { return key_.get(); }
    X509 *certificate() const noexcept override { return certificate_.get(); }
    const std::vector<Certificate> &chain() const noexcept override { return chain_; }
    bool can_pss() const noexcept override { return private_half_->can_pss(); }
    std::optional<TokenUnavailable> take_fault() const override { return take_thread_fault(); }

  private:
    Handle<EVP_PKEY, EVP_PKEY_free> key_;
    Certificate certificate_;
    std::vector<Certificate> chain_;
    std::shared_ptr<const KeyOnToken> private_half_;
};

} // namespace

std::shared_ptr<TokenKey> TokenKey::open(const KeyUri &uri, std::chrono::milliseconds deadline,
                                         const std::string &refused_pins) {
    const auto session = TokenSession::find(uri, deadline, refused_pins);
    Found found = session->use(deadline, [uri](OpenToken &token) {
        const Certificates all = token.certificates();
        Found one = uri.object || uri.id ? find_named(uri, token, all) : find_suitable(token, all);
        one.chain = chain_of(one.certificate.get(), all);
        // Padded here, CKM_RSA_X_509 does for PSS too.
        one.token_has_pss =
            token.has_mechanism(CKM_RSA_PKCS_PSS) || token.has_mechanism(CKM_RSA_X_509);
        return one;
    });
    EVP_PKEY *const public_key = X509_get0_pubkey(found.certificate.get());
    if (public_key == nullptr ||
        (EVP_PKEY_is_a(public_key, "RSA") != 1 && EVP_PKEY_is_a(public_key, "EC") != 1))
        throw TokenUnavailable(
            Reason::no_certificate,
            fmt::format("the certificate of {} holds neither an RSA nor an EC key",
                        name_text(X509_get_subject_name(found.certificate.get()))));
    const auto bits = static_cast<std::size_t>(EVP_PKEY_get_bits(public_key));
    const bool can_pss = EVP_PKEY_is_a(public_key, "RSA") != 1 || found.token_has_pss;
    const auto private_half =
        std::make_shared<KeyOnToken>(session, found.key, bits, deadline, can_pss);
    auto pkey = make_pkey(public_key, private_half);
    return std::make_shared<KeyWithCertificate>(std::move(pkey), std::move(found.certificate),
                                                std::move(found.chain), private_half);
}

} // namespace demail::crypto
