// ECDSA signature values: PKCS#11 and XMLDSig write r ‖ s, OpenSSL the DER of ECDSA-Sig-Value (RFC
// 3279 2.2.3). Pure, thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace demail {

/// r and s one after the other, each of `coordinate` bytes (RFC 9231 2.3.6). nullopt where the DER
/// is none or a number is negative or too large.
[[nodiscard]] std::optional<std::string> raw_ecdsa(std::string_view der, std::size_t coordinate);

/// The DER of r ‖ s, each half of `raw`. nullopt where it has no halves.
[[nodiscard]] std::optional<std::string> der_ecdsa(std::string_view raw);

} // namespace demail
