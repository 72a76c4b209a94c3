#include "tcos/padding.hpp"

#include "base/digest.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace demail::tcos {
namespace {

// Masks: all ones for true, zero for false; no branch and no table depends on a secret.
using Mask = std::uint32_t;

Mask is_zero(std::uint32_t value) noexcept {
    return static_cast<Mask>(0) - ((~value & (value - 1U)) >> 31U);
}
Mask equal(std::uint32_t a, std::uint32_t b) noexcept {
    return is_zero(a ^ b);
}
// For values below 2^31.
Mask less(std::uint32_t a, std::uint32_t b) noexcept {
    return static_cast<Mask>(0) - ((a - b) >> 31U);
}
std::uint32_t choose(Mask which, std::uint32_t yes, std::uint32_t no) noexcept {
    return (which & yes) | (~which & no);
}

std::uint32_t octet(std::string_view bytes, std::size_t at) noexcept {
    return static_cast<unsigned char>(bytes[at]);
}

// PRF of the draft, 7.1: HMAC-SHA-256 over counter, label and length in bits, block after block.
Secret pseudo_random(std::string_view key, std::string_view label, std::size_t size) {
    Secret out(size + 32);
    const std::size_t bits = size * 8;
    for (unsigned counter = 0; out.size() < size; ++counter) {
        std::string input;
        input += static_cast<char>(counter >> 8U);
        input += static_cast<char>(counter & 0xffU);
        input += label;
        input += static_cast<char>(bits >> 8U & 0xffU);
        input += static_cast<char>(bits & 0xffU);
        out.append(view(hmac_sha256(key, input)));
    }
    out.resize(size);
    return out;
}

// The length of the message that a wrong padding gives: the last of 128 numbers that fits.
std::uint32_t synthetic_length(std::string_view key, std::uint32_t longest) {
    constexpr std::size_t candidates = 128;
    std::uint32_t bits = longest;
    for (const unsigned shift : {1U, 2U, 4U, 8U, 16U})
        bits |= bits >> shift;
    const Secret numbers = pseudo_random(key, "length", candidates * 2);
    std::uint32_t length = 0;
    for (std::size_t i = 0; i < candidates; ++i) {
        const std::uint32_t number =
            (octet(numbers.view(), 2 * i) << 8U | octet(numbers.view(), 2 * i + 1)) & bits;
        length = choose(less(number, longest), number, length);
    }
    return length;
}

} // namespace

Secret unpad_pkcs1(const Secret &block, View cryptogram, View rejection_key) {
    constexpr std::uint32_t least_filling = 8;
    const std::string_view em = block.view();
    const auto size = static_cast<std::uint32_t>(em.size());
    if (size < 2 + least_filling + 1) return {};
    const Digest256 key = hmac_sha256(text_of(rejection_key), text_of(cryptogram));
    const Secret synthetic = pseudo_random(view(key), "message", size);
    const std::uint32_t other_length = synthetic_length(view(key), size - 2 - least_filling);

    // 00 02, eight or more that are not zero, 00, message.
    Mask good = is_zero(octet(em, 0)) & equal(octet(em, 1), 2);
    Mask found = 0;
    std::uint32_t zero = 0;
    for (std::uint32_t i = 2; i < size; ++i) {
        const Mask here = is_zero(octet(em, i));
        zero = choose(~found & here, i, zero);
        found |= here;
    }
    good &= found & ~less(zero, 2 + least_filling);
    // Either begin is one of a message that could be, so that it may show from here on.
    const std::uint32_t begin = choose(good, zero + 1, size - other_length);
    Secret message(size);
    message.resize(size - begin);
    for (std::uint32_t i = begin; i < size; ++i)
        message.data()[i - begin] =
            static_cast<char>(choose(good, octet(em, i), octet(synthetic.view(), i)));
    return message;
}

std::optional<Secret> unpad_oaep(const Secret &block, const DigestAlgorithm &digest,
                                 const DigestAlgorithm &mgf, View label) {
    const std::string_view em = block.view();
    if (em.size() < 2 * digest.size + 2) return std::nullopt;
    Secret seed = Secret::copy_of(em.substr(1, digest.size));
    Secret db = Secret::copy_of(em.substr(1 + digest.size));
    mgf1_xor(mgf, db.view(), {seed.data(), seed.size()});
    mgf1_xor(mgf, seed.view(), {db.data(), db.size()});

    // lHash, zeros, 01, message. All of it is looked at before anything is said (Manger).
    const std::string expected = digest_of(digest, text_of(label));
    Mask good = is_zero(octet(em, 0));
    for (std::size_t i = 0; i < digest.size; ++i)
        good &= equal(octet(db.view(), i), octet(expected, i));
    Mask found = 0;
    std::uint32_t one = 0;
    for (std::size_t i = digest.size; i < db.size(); ++i) {
        const Mask here = equal(octet(db.view(), i), 1);
        one = choose(~found & here, static_cast<std::uint32_t>(i), one);
        good &= found | here | is_zero(octet(db.view(), i));
        found |= here;
    }
    good &= found;
    if (good == 0) return std::nullopt;
    db.drop_front(one + 1);
    return db;
}

} // namespace demail::tcos
