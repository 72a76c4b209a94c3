// Hashes, MACs and their text forms. Thin over OpenSSL 3; every function throws std::runtime_error
// only when libcrypto itself fails. Pure functions are thread-safe; a Sha256 belongs to one thread
// at a time.
#pragma once

#include "base/handle.hpp"

#include <openssl/evp.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace demail {

using Digest256 = std::array<unsigned char, 32>;

/// For EVP functions. OpenSSL 3 looks the algorithm of EVP_sha256() up anew for each digest that
/// begins; this one is looked up once.
[[nodiscard]] const EVP_MD *sha256_algorithm();

/// SHA-256 (FIPS 180-4) over a stream.
class Sha256 {
  public:
    Sha256();
    void update(std::string_view bytes);
    /// The digest of all that was given; the object starts anew afterwards.
    [[nodiscard]] Digest256 finish();

  private:
    Handle<EVP_MD_CTX, EVP_MD_CTX_free> context_;
};

[[nodiscard]] Digest256 sha256(std::string_view bytes);
/// HMAC-SHA-256 (RFC 2104).
[[nodiscard]] Digest256 hmac_sha256(std::string_view key, std::string_view bytes);
/// HKDF-SHA-256 (RFC 5869) without salt, 32 bytes out.
[[nodiscard]] Digest256 hkdf_sha256(std::string_view key, std::string_view info);
/// Compares in time that depends on the lengths alone.
[[nodiscard]] bool equal_constant_time(std::string_view a, std::string_view b) noexcept;
/// Fills with bytes of the operating system's random source.
void random_bytes(unsigned char *out, std::size_t size);

[[nodiscard]] std::string hex(std::string_view bytes);
[[nodiscard]] std::optional<std::string> from_hex(std::string_view text);
/// Base64 with the URL alphabet, without padding (RFC 4648 5).
[[nodiscard]] std::string base64url(std::string_view bytes);
/// Strict: no padding, no blanks, no non-zero trailing bits; nullopt otherwise.
[[nodiscard]] std::optional<std::string> from_base64url(std::string_view text);
/// Base64 (RFC 4648 4) with padding, no line breaks.
[[nodiscard]] std::string base64(std::string_view bytes);
/// Skips blanks and line breaks; nullopt for anything else that is not Base64.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

template <std::size_t N>
[[nodiscard]] std::string_view view(const std::array<unsigned char, N> &bytes) noexcept {
    return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

} // namespace demail
