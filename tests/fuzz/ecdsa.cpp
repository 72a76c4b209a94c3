// ECDSA values between DER and r ‖ s, and a signature that is the right one but for the bits that
// the input flips.
#include "base/ecdsa_value.hpp"
#include "fuzz.hpp"
#include "reply_signer.hpp"
#include "soap/verify.hpp"

#include <string>

namespace demail::fuzz {
namespace {

constexpr std::string_view algorithm = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";
constexpr std::string_view octets = "signed octets";

std::string right_value() {
    const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    std::string der(256, '\0');
    std::size_t size = der.size();
    HOLDS(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr,
                             reply_signer().pkey()) == 1);
    HOLDS(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char *>(der.data()), &size,
                         reinterpret_cast<const unsigned char *>(octets.data()),
                         octets.size()) == 1);
    der.resize(size);
    const auto raw = raw_ecdsa(der, 32);
    HOLDS(raw.has_value());
    return *raw;
}

void only_the_right_value_holds(std::string_view flips) {
    static const std::string right = right_value();
    std::string value = right;
    // Longer and shorter ones too.
    value.resize(std::max(value.size(), flips.size()), '\0');
    bool same = value.size() == right.size();
    for (std::size_t i = 0; i < flips.size(); ++i) {
        same = same && flips[i] == '\0';
        value[i] = static_cast<char>(value[i] ^ flips[i]);
    }
    HOLDS(!soap::verify(reply_signer().pkey(), algorithm, octets, value) == same);
}

} // namespace

void ecdsa(std::string_view input) {
    for (const std::size_t coordinate : {std::size_t{32}, std::size_t{48}, std::size_t{66}}) {
        const auto raw = raw_ecdsa(input, coordinate);
        if (!raw) continue;
        HOLDS(raw->size() == 2 * coordinate);
        HOLDS(!raw_ecdsa(std::string(input) + '\0', coordinate));
        const auto der = der_ecdsa(*raw);
        HOLDS(der && raw_ecdsa(*der, coordinate) == raw);
        // BER of the same numbers may be longer, never shorter.
        HOLDS(der->size() <= input.size());
    }
    const auto der = der_ecdsa(input);
    HOLDS(der.has_value() == (!input.empty() && input.size() % 2 == 0));
    if (der) HOLDS(raw_ecdsa(*der, input.size() / 2) == std::string(input));
    only_the_right_value_holds(input);
}

} // namespace demail::fuzz
