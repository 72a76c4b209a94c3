#include "crypto/key_on_token.hpp"

#include "base/digest.hpp"

#include <fmt/format.h>

namespace demail::crypto {
namespace {

using Reason = TokenUnavailable::Reason;

TokenUnavailable cannot(const OpenToken &token, const char *what) {
    return {Reason::failed, fmt::format("token \"{}\" {}", token.identity().label, what)};
}

std::string shown(const KeyName &name) {
    std::string text;
    if (name.label) text += fmt::format(" \"{}\"", *name.label);
    if (name.id) text += fmt::format(" with id {}", hex(*name.id));
    return text;
}

} // namespace

CK_OBJECT_HANDLE find_private_key(OpenToken &token, const KeyName &name) {
    const auto keys = token.find(CKO_PRIVATE_KEY, name.label, name.id);
    if (keys.size() == 1) return keys.front();
    throw TokenUnavailable(Reason::no_key,
                           fmt::format("token \"{}\" has {} private key{}", token.identity().label,
                                       keys.empty() ? "no" : "more than one", shown(name)));
}

std::string KeyOnToken::sign(const SignatureForm &form, std::string digest) {
    return session_->use(
        deadline_, [self = shared_from_this(), form, digest = std::move(digest)](OpenToken &token) {
            return self->sign_now(token, form, digest);
        });
}

std::string KeyOnToken::sign_now(OpenToken &token, const SignatureForm &form,
                                 const std::string &digest) {
    if (generation_ != token.generation()) {
        handle_ = find_private_key(token, name_);
        const auto always = token.attribute(handle_, CKA_ALWAYS_AUTHENTICATE);
        always_authenticate_ = always && !always->empty() && always->front() != CK_FALSE;
        generation_ = token.generation();
    }
    return sign_on(token, form, digest);
}

std::string KeyOnToken::sign_on(OpenToken &token, const SignatureForm &form,
                                const std::string &digest) {
    switch (form.padding) {
    case SignatureForm::Padding::pkcs1:
        return sign_pkcs1(token,
                          form.digest == nullptr ? digest : digest_info(*form.digest, digest));
    case SignatureForm::Padding::pss:
        return sign_pss(token, form, digest);
    case SignatureForm::Padding::ecdsa:
        break;
    }
    if (!token.has_mechanism(CKM_ECDSA)) throw cannot(token, "cannot sign by ECDSA");
    // The leftmost bits count (FIPS 186-4 6.4); not every token cuts a longer digest itself.
    return run(token, CKM_ECDSA, digest.substr(0, (bits_ + 7) / 8));
}

std::string KeyOnToken::sign_pkcs1(OpenToken &token, const std::string &text) {
    if (token.has_mechanism(CKM_RSA_PKCS)) return run(token, CKM_RSA_PKCS, text);
    const auto block = pkcs1_block(text, (bits_ + 7) / 8);
    if (!block) throw cannot(token, "has an RSA key that is too short for this digest");
    return sign_raw_rsa(token, *block);
}

std::string KeyOnToken::sign_pss(OpenToken &token, const SignatureForm &form,
                                 const std::string &digest) {
    const DigestAlgorithm &mgf = form.mgf == nullptr ? *form.digest : *form.mgf;
    if (token.has_mechanism(CKM_RSA_PKCS_PSS) && !pss_is_refused_) {
        CK_RSA_PKCS_PSS_PARAMS parameters{};
        parameters.hash_alg = form.digest->mechanism;
        parameters.mgf = mgf.mgf;
        parameters.s_len = form.salt_size;
        CK_MECHANISM mechanism{CKM_RSA_PKCS_PSS, &parameters, sizeof parameters};
        try {
            return token.sign(mechanism, handle_, always_authenticate_, digest);
        } catch (const CkError &error) {
            const bool refused = error.result == CKR_MECHANISM_INVALID ||
                                 error.result == CKR_MECHANISM_PARAM_INVALID ||
                                 error.result == CKR_FUNCTION_NOT_SUPPORTED;
            if (refused && !token.has_mechanism(CKM_RSA_X_509)) can_pss_ = false;
            if (!refused || !can_pss_) throw;
            pss_is_refused_ = true; // listed, yet not to be had: some modules do that
        }
    }
    can_pss_ = token.has_mechanism(CKM_RSA_X_509);
    if (!can_pss_)
        throw cannot(token,
                     "cannot sign by RSA-PSS, which TLS 1.3 needs; its key works with TLS 1.2 "
                     "and rsa-sha256");
    const auto block = pss_block(*form.digest, mgf, digest, form.salt_size, bits_);
    if (!block) throw cannot(token, "has an RSA key that is too short for this digest and salt");
    return sign_raw_rsa(token, *block);
}

std::string KeyOnToken::sign_raw_rsa(OpenToken &token, const std::string &block) {
    if (!token.has_mechanism(CKM_RSA_X_509)) throw cannot(token, "cannot sign by RSA");
    return run(token, CKM_RSA_X_509, block);
}

std::string KeyOnToken::run(OpenToken &token, CK_MECHANISM_TYPE type, const std::string &input) {
    CK_MECHANISM mechanism{type, nullptr, 0};
    return token.sign(mechanism, handle_, always_authenticate_, input);
}

} // namespace demail::crypto
