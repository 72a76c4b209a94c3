// The certificate in a card's file: as it is, or behind an OID in a SEQUENCE, with whatever padding
// behind it. Debian 12's OpenSC refuses the first form (OpenSC #3292). Pure, thread-safe.
#pragma once

#include "base/handle.hpp"
#include "tcos/bytes.hpp"

#include <openssl/x509.h>

#include <optional>
#include <variant>

namespace demail::tcos {

using Certificate = Handle<X509, X509_free>;

/// Bytes; a larger file is no certificate of ours.
inline constexpr std::size_t longest_certificate = 8192;

enum class NoCertificate {
    empty,     ///< nothing but zeros or FFs: a place for a certificate that nobody wrote yet
    malformed, ///< something that is no certificate
    too_long,
    unreadable, ///< the card refuses to read it, or ends before its own length
};
[[nodiscard]] const char *text(NoCertificate why) noexcept;

/// How many bytes of the file hold its certificate, told by its first ones (8 suffice).
[[nodiscard]] std::variant<std::size_t, NoCertificate> content_size(View first_bytes) noexcept;

/// Parsed by OpenSSL from exactly its own bytes.
[[nodiscard]] std::variant<Certificate, NoCertificate> certificate_in(View file);

} // namespace demail::tcos
