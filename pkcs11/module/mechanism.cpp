#include "module/mechanism.hpp"

#include "module/refused.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace demail::module {
namespace {

using wire::Hash;

constexpr CK_FLAGS signs = CKF_HW | CKF_SIGN | CKF_VERIFY;

constexpr Offered offered[] = {
    {CKM_RSA_PKCS, signs | CKF_DECRYPT},
    {CKM_SHA256_RSA_PKCS, signs},
    {CKM_SHA384_RSA_PKCS, signs},
    {CKM_SHA512_RSA_PKCS, signs},
    {CKM_RSA_PKCS_PSS, signs},
    {CKM_SHA256_RSA_PKCS_PSS, signs},
    {CKM_SHA384_RSA_PKCS_PSS, signs},
    {CKM_SHA512_RSA_PKCS_PSS, signs},
    {CKM_RSA_PKCS_OAEP, CKF_HW | CKF_DECRYPT},
    {CKM_SHA256, CKF_DIGEST},
    {CKM_SHA384, CKF_DIGEST},
    {CKM_SHA512, CKF_DIGEST},
};

/// What the caller's parameter points to may lie anywhere.
template <typename Parameters>
Parameters parameters_of(const CK_MECHANISM &mechanism) {
    require(mechanism.pParameter != nullptr && mechanism.ulParameterLen == sizeof(Parameters),
            CKR_MECHANISM_PARAM_INVALID);
    Parameters parameters;
    std::memcpy(&parameters, mechanism.pParameter, sizeof parameters);
    return parameters;
}

void expect_no_parameters(const CK_MECHANISM &mechanism) {
    require(mechanism.ulParameterLen == 0, CKR_MECHANISM_PARAM_INVALID);
}

Hash hash_of(CK_MECHANISM_TYPE type) {
    switch (type) {
    case CKM_SHA_1:
        return Hash::sha1;
    case CKM_SHA256:
        return Hash::sha256;
    case CKM_SHA384:
        return Hash::sha384;
    case CKM_SHA512:
        return Hash::sha512;
    default:
        throw Refused{CKR_MECHANISM_PARAM_INVALID};
    }
}

Hash mask_of(unsigned long mgf) {
    switch (mgf) {
    case CKG_MGF1_SHA1:
        return Hash::sha1;
    case CKG_MGF1_SHA256:
        return Hash::sha256;
    case CKG_MGF1_SHA384:
        return Hash::sha384;
    case CKG_MGF1_SHA512:
        return Hash::sha512;
    default:
        throw Refused{CKR_MECHANISM_PARAM_INVALID};
    }
}

wire::PssSignature pss_of(const CK_MECHANISM &mechanism) {
    const auto parameters = parameters_of<CK_RSA_PKCS_PSS_PARAMS>(mechanism);
    wire::PssSignature pss{hash_of(parameters.hashAlg), mask_of(parameters.mgf), 0};
    // A signature that rests on SHA-1 is none any more.
    require(pss.hash != Hash::sha1 && pss.mgf != Hash::sha1, CKR_MECHANISM_PARAM_INVALID);
    require(parameters.sLen <= wire::limit::modulus, CKR_MECHANISM_PARAM_INVALID);
    pss.salt = static_cast<std::uint16_t>(parameters.sLen);
    return pss;
}

SignMechanism pkcs1(const CK_MECHANISM &mechanism, Hash hash) {
    expect_no_parameters(mechanism);
    return {wire::Pkcs1Signature{hash}, hash};
}

SignMechanism pss(const CK_MECHANISM &mechanism, Hash hash) {
    const wire::PssSignature scheme = pss_of(mechanism);
    require(scheme.hash == hash, CKR_MECHANISM_PARAM_INVALID);
    return {scheme, hash};
}

} // namespace

std::span<const Offered> offered_mechanisms() noexcept {
    return offered;
}

CK_MECHANISM_INFO mechanism_info(CK_MECHANISM_TYPE type) {
    const auto *found = std::find_if(std::begin(offered), std::end(offered),
                                     [&](const Offered &one) { return one.type == type; });
    require(found != std::end(offered), CKR_MECHANISM_INVALID);
    CK_MECHANISM_INFO info{};
    if ((found->flags & CKF_DIGEST) == 0) {
        info.ulMinKeySize = 1024;
        info.ulMaxKeySize = wire::limit::modulus * 8;
    }
    info.flags = found->flags;
    return info;
}

SignMechanism sign_mechanism(const CK_MECHANISM &mechanism) {
    switch (mechanism.mechanism) {
    case CKM_RSA_PKCS:
        expect_no_parameters(mechanism);
        return {wire::Pkcs1Signature{std::nullopt}, std::nullopt};
    case CKM_SHA256_RSA_PKCS:
        return pkcs1(mechanism, Hash::sha256);
    case CKM_SHA384_RSA_PKCS:
        return pkcs1(mechanism, Hash::sha384);
    case CKM_SHA512_RSA_PKCS:
        return pkcs1(mechanism, Hash::sha512);
    case CKM_RSA_PKCS_PSS:
        return {pss_of(mechanism), std::nullopt};
    case CKM_SHA256_RSA_PKCS_PSS:
        return pss(mechanism, Hash::sha256);
    case CKM_SHA384_RSA_PKCS_PSS:
        return pss(mechanism, Hash::sha384);
    case CKM_SHA512_RSA_PKCS_PSS:
        return pss(mechanism, Hash::sha512);
    default:
        throw Refused{CKR_MECHANISM_INVALID};
    }
}

wire::DecryptScheme decrypt_mechanism(const CK_MECHANISM &mechanism) {
    if (mechanism.mechanism == CKM_RSA_PKCS) {
        expect_no_parameters(mechanism);
        return wire::Pkcs1Encryption{};
    }
    require(mechanism.mechanism == CKM_RSA_PKCS_OAEP, CKR_MECHANISM_INVALID);
    const auto parameters = parameters_of<ck_rsa_pkcs_oaep_params>(mechanism);
    wire::OaepEncryption oaep{hash_of(parameters.hash_alg), mask_of(parameters.mgf), {}};
    // CKZ_DATA_SPECIFIED is 1; 0 comes from callers without a label.
    require(parameters.source <= 1 && parameters.source_data_len <= wire::limit::oaep_label,
            CKR_MECHANISM_PARAM_INVALID);
    require(parameters.source_data_len == 0 || parameters.source_data != nullptr,
            CKR_MECHANISM_PARAM_INVALID);
    if (parameters.source_data_len > 0)
        oaep.label.assign(static_cast<const char *>(parameters.source_data),
                          parameters.source_data_len);
    return oaep;
}

wire::Hash digest_mechanism(const CK_MECHANISM &mechanism) {
    switch (mechanism.mechanism) {
    case CKM_SHA256:
    case CKM_SHA384:
    case CKM_SHA512:
        expect_no_parameters(mechanism);
        return hash_of(mechanism.mechanism);
    default:
        throw Refused{CKR_MECHANISM_INVALID};
    }
}

} // namespace demail::module
