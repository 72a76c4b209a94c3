// The certificates that may sign replies.
#pragma once

#include "base/digest.hpp"
#include "base/handle.hpp"

#include <openssl/x509.h>

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace demail::soap {

/// Pinned by SHA-256 of the DER; two for a change-over. Bytes that are not pinned never reach the
/// X.509 parser, pinned ones reach it once. Thread-safe.
class Signers {
  public:
    /// Each "sha256:" + 64 hex digits, or a PEM file. Throws std::runtime_error with a sentence.
    explicit Signers(const std::vector<std::string> &texts);

    /// The certificate, which lives as long as this object; a string is the fault.
    [[nodiscard]] std::variant<X509 *, std::string> find(const std::string &der) const;

  private:
    using Certificate = Handle<X509, X509_free>;
    mutable std::mutex mutex_;
    mutable std::map<Digest256, Certificate> pinned_; // empty until the certificate was seen
};

} // namespace demail::soap
