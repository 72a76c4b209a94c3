// DER of an RSA public key (RFC 8017 A.1.1, RFC 3279 2.3.1). Pure, thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace demail::module {

/// SubjectPublicKeyInfo of a key whose numbers are big-endian without sign.
[[nodiscard]] std::string rsa_public_key_info(std::string_view modulus, std::string_view exponent);

/// Without leading zeros.
[[nodiscard]] std::size_t bits_of(std::string_view number) noexcept;

} // namespace demail::module
