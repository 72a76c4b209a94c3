#include "base/digest_info.hpp"

#include "base/digest.hpp"
#include "base/handle.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace demail {
namespace {

constexpr DigestAlgorithm algorithms[] = {
    {"SHA256", 32, CKM_SHA256, CKG_MGF1_SHA256},
    {"SHA384", 48, CKM_SHA384, CKG_MGF1_SHA384},
    {"SHA512", 64, CKM_SHA512, CKG_MGF1_SHA512},
};

// DigestInfo up to the digest itself, RFC 8017 9.2 note 1; last octet of the OID: 1, 2, 3.
std::string prefix(const DigestAlgorithm &algorithm) {
    const auto length = static_cast<unsigned char>(algorithm.size);
    const auto arc = static_cast<unsigned char>(algorithm.size / 16 - 1); // 32, 48, 64
    const unsigned char bytes[] = {0x30,  static_cast<unsigned char>(17 + length),
                                   0x30,  0x0d,
                                   0x06,  0x09,
                                   0x60,  0x86,
                                   0x48,  0x01,
                                   0x65,  0x03,
                                   0x04,  0x02,
                                   arc,   0x05,
                                   0x00,  0x04,
                                   length};
    return {reinterpret_cast<const char *>(bytes), sizeof bytes};
}

constexpr DigestAlgorithm sha1{"SHA1", 20, CKM_SHA_1, CKG_MGF1_SHA1};

void require(bool good) {
    if (!good) throw std::runtime_error("libcrypto does not compute a digest");
}

} // namespace

const DigestAlgorithm *digest_algorithm(const char *name) {
    const Handle<EVP_MD, EVP_MD_free> md(EVP_MD_fetch(nullptr, name, nullptr));
    if (!md) return nullptr;
    for (const DigestAlgorithm &algorithm : algorithms)
        if (EVP_MD_is_a(md.get(), algorithm.name) == 1) return &algorithm;
    return nullptr;
}

const DigestAlgorithm *oaep_digest(CK_MECHANISM_TYPE mechanism) noexcept {
    if (mechanism == sha1.mechanism) return &sha1;
    for (const DigestAlgorithm &algorithm : algorithms)
        if (algorithm.mechanism == mechanism) return &algorithm;
    return nullptr;
}

const DigestAlgorithm *oaep_mask(CK_RSA_PKCS_MGF_TYPE mgf) noexcept {
    if (mgf == sha1.mgf) return &sha1;
    for (const DigestAlgorithm &algorithm : algorithms)
        if (algorithm.mgf == mgf) return &algorithm;
    return nullptr;
}

std::string digest_of(const DigestAlgorithm &algorithm, std::string_view bytes) {
    std::string out(algorithm.size, '\0');
    std::size_t size = 0;
    require(EVP_Q_digest(nullptr, algorithm.name, nullptr, bytes.data(), bytes.size(),
                         reinterpret_cast<unsigned char *>(out.data()), &size) == 1 &&
            size == out.size());
    return out;
}

void mgf1_xor(const DigestAlgorithm &algorithm, std::string_view seed, std::span<char> to) {
    const Handle<EVP_MD, EVP_MD_free> md(EVP_MD_fetch(nullptr, algorithm.name, nullptr));
    const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    require(md != nullptr && context != nullptr);
    std::array<unsigned char, EVP_MAX_MD_SIZE> block{};
    for (unsigned counter = 0; !to.empty(); ++counter) {
        unsigned char octets[4];
        for (unsigned i = 0; i < 4; ++i)
            octets[i] = static_cast<unsigned char>(counter >> (24 - 8 * i) & 0xffU);
        require(EVP_DigestInit_ex2(context.get(), md.get(), nullptr) == 1 &&
                EVP_DigestUpdate(context.get(), seed.data(), seed.size()) == 1 &&
                EVP_DigestUpdate(context.get(), octets, sizeof octets) == 1 &&
                EVP_DigestFinal_ex(context.get(), block.data(), nullptr) == 1);
        const std::size_t part = std::min(to.size(), algorithm.size);
        for (std::size_t i = 0; i < part; ++i)
            to[i] = static_cast<char>(static_cast<unsigned char>(to[i]) ^ block[i]);
        to = to.subspan(part);
    }
    OPENSSL_cleanse(block.data(), block.size());
}

std::string digest_info(const DigestAlgorithm &algorithm, std::string_view digest) {
    return prefix(algorithm).append(digest);
}

std::optional<std::string> pkcs1_block(std::string_view text, std::size_t size) {
    if (size < 11 || text.size() > size - 11) return std::nullopt;
    std::string block("\x00\x01", 2);
    block.append(size - text.size() - 3, '\xff');
    block += '\0';
    return block.append(text);
}

std::optional<std::string> pss_block(const DigestAlgorithm &algorithm, const DigestAlgorithm &mgf,
                                     std::string_view digest, std::size_t salt_size,
                                     std::size_t modulus_bits) {
    const std::size_t em_bits = modulus_bits - 1;
    const std::size_t em_size = (em_bits + 7) / 8;
    if (modulus_bits < 512 || em_size < algorithm.size + salt_size + 2) return std::nullopt;
    std::string salt(salt_size, '\0');
    random_bytes(reinterpret_cast<unsigned char *>(salt.data()), salt.size());
    const std::string h = digest_of(algorithm, std::string(8, '\0').append(digest).append(salt));
    std::string db(em_size - salt_size - algorithm.size - 2, '\0');
    db += '\x01';
    db += salt;
    mgf1_xor(mgf, h, db);
    db[0] =
        static_cast<char>(static_cast<unsigned char>(db[0]) & (0xff >> (8 * em_size - em_bits)));
    std::string block = db + h + '\xbc';
    // With modulus_bits = 8k + 1 the encoded message is one byte shorter than the modulus.
    block.insert(0, (modulus_bits + 7) / 8 - em_size, '\0');
    return block;
}

} // namespace demail
