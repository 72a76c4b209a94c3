#include "base/digest.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <stdexcept>

namespace demail {

namespace {

constexpr std::string_view standard_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

using Inverse = std::array<signed char, 256>;

constexpr Inverse inverse(std::string_view alphabet) {
    Inverse values{};
    for (signed char &value : values)
        value = -1;
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        values[static_cast<unsigned char>(alphabet[i])] = static_cast<signed char>(i);
    return values;
}
constexpr Inverse standard_inverse = inverse(standard_alphabet);
constexpr Inverse url_inverse = inverse(url_alphabet);

const unsigned char *octets(std::string_view bytes) noexcept {
    return reinterpret_cast<const unsigned char *>(bytes.data());
}

void require(bool good, const char *what) {
    if (!good) throw std::runtime_error(std::string("libcrypto: ") + what + " failed");
}

std::string encode(std::string_view bytes, std::string_view alphabet, bool padded) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 3; ++j)
            group = group << 8 | (j < have ? static_cast<unsigned char>(bytes[i + j]) : 0U);
        for (std::size_t j = 0; j < 4; ++j) {
            if (j <= have)
                out += alphabet[group >> (18 - 6 * j) & 63U];
            else if (padded)
                out += '=';
        }
    }
    return out;
}

// Digits without padding. Bits left over must be zero, so that one value has one text.
std::optional<std::string> decode(std::string_view digits, const Inverse &values) {
    if (digits.size() % 4 == 1) return std::nullopt;
    std::string out;
    out.reserve(digits.size() / 4 * 3 + 2);
    std::uint32_t bits = 0;
    int held = 0;
    for (const char c : digits) {
        const signed char value = values[static_cast<unsigned char>(c)];
        if (value < 0) return std::nullopt;
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        held += 6;
        if (held >= 8) {
            held -= 8;
            out += static_cast<char>(bits >> held & 0xffU);
        }
    }
    if ((bits & ((1U << held) - 1U)) != 0) return std::nullopt;
    return out;
}

} // namespace

const EVP_MD *sha256_algorithm() {
    // Never freed: OpenSSL's own clean-up at exit comes before that of our static objects.
    static const EVP_MD *const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    require(fetched != nullptr, "EVP_MD_fetch");
    return fetched;
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
    require(context_ != nullptr, "EVP_MD_CTX_new");
    require(EVP_DigestInit_ex2(context_.get(), sha256_algorithm(), nullptr) == 1,
            "EVP_DigestInit_ex2");
}

void Sha256::update(std::string_view bytes) {
    require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1, "EVP_DigestUpdate");
}

Digest256 Sha256::finish() {
    Digest256 digest{};
    unsigned size = 0;
    require(EVP_DigestFinal_ex(context_.get(), digest.data(), &size) == 1 && size == digest.size(),
            "EVP_DigestFinal_ex");
    require(EVP_DigestInit_ex2(context_.get(), nullptr, nullptr) == 1, "EVP_DigestInit_ex2");
    return digest;
}

Digest256 sha256(std::string_view bytes) {
    Digest256 digest{};
    unsigned size = 0;
    require(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, sha256_algorithm(),
                       nullptr) == 1 &&
                size == digest.size(),
            "EVP_Digest");
    return digest;
}

Digest256 hmac_sha256(std::string_view key, std::string_view bytes) {
    // The digest's name is only read.
    static char name[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0), OSSL_PARAM_END};
    static EVP_MAC *const mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr); // as sha256_algorithm()
    require(mac != nullptr, "EVP_MAC_fetch");
    const Handle<EVP_MAC_CTX, EVP_MAC_CTX_free> context(EVP_MAC_CTX_new(mac));
    require(context != nullptr, "EVP_MAC_CTX_new");
    // A null key would mean "the key of before": an empty one must not look like it.
    const std::string_view given = key.data() == nullptr ? std::string_view("") : key;
    Digest256 digest{};
    std::size_t size = 0;
    require(EVP_MAC_init(context.get(), octets(given), given.size(), parameters) == 1,
            "EVP_MAC_init");
    require(EVP_MAC_update(context.get(), octets(bytes), bytes.size()) == 1, "EVP_MAC_update");
    require(EVP_MAC_final(context.get(), digest.data(), &size, digest.size()) == 1 &&
                size == digest.size(),
            "EVP_MAC_final");
    return digest;
}

Digest256 hkdf_sha256(std::string_view key, std::string_view info) {
    static char name[] = "SHA256";
    // OSSL_PARAM has no const; the KDF reads these.
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, const_cast<char *>(key.data()),
                                          key.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, const_cast<char *>(info.data()),
                                          info.size()),
        OSSL_PARAM_END};
    const Handle<EVP_KDF, EVP_KDF_free> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
    require(kdf != nullptr, "EVP_KDF_fetch");
    const Handle<EVP_KDF_CTX, EVP_KDF_CTX_free> context(EVP_KDF_CTX_new(kdf.get()));
    require(context != nullptr, "EVP_KDF_CTX_new");
    Digest256 out{};
    require(EVP_KDF_derive(context.get(), out.data(), out.size(), parameters) == 1,
            "EVP_KDF_derive");
    return out;
}

bool equal_constant_time(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void random_bytes(unsigned char *out, std::size_t size) {
    while (size > 0) {
        const std::size_t part = std::min<std::size_t>(size, INT_MAX);
        require(RAND_bytes(out, static_cast<int>(part)) == 1, "RAND_bytes");
        out += part;
        size -= part;
    }
}

std::string hex(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        const auto octet = static_cast<unsigned char>(c);
        out += digits[octet >> 4U];
        out += digits[octet & 15U];
    }
    return out;
}

std::optional<std::string> from_hex(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    const auto value = [](char c) {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        return -1;
    };
    std::string out;
    out.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = value(text[i]);
        const int low = value(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        out += static_cast<char>(high * 16 + low);
    }
    return out;
}

std::string base64url(std::string_view bytes) {
    return encode(bytes, url_alphabet, false);
}

std::optional<std::string> from_base64url(std::string_view text) {
    return decode(text, url_inverse);
}

std::string base64(std::string_view bytes) {
    return encode(bytes, standard_alphabet, true);
}

std::optional<std::string> from_base64(std::string_view text) {
    std::string digits;
    digits.reserve(text.size());
    std::size_t padding = 0;
    for (const char c : text) {
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') continue;
        if (c == '=')
            ++padding;
        else if (padding > 0)
            return std::nullopt;
        else
            digits += c;
    }
    if (padding > 2 || (digits.size() + padding) % 4 != 0) return std::nullopt;
    return decode(digits, standard_inverse);
}

} // namespace demail
