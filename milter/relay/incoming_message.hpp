// A message as LMTP brings it: header fields in memory, body on disk and through the digest, in one
// pass.
#pragma once

#include "base/digest.hpp"
#include "message/header.hpp"
#include "relay/spool_file.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace demail::relay {

/// Belongs to one thread at a time.
class IncomingMessage {
  public:
    explicit IncomingMessage(std::shared_ptr<Spool> spool) : body_(std::move(spool)) {}
    /// With a spool of its own.
    explicit IncomingMessage(const std::string &spool_directory)
        : IncomingMessage(std::make_shared<Spool>(spool_directory)) {}

    void receive(std::string_view bytes);

    enum class Fault { none, header_too_long, not_a_message, disk };
    /// Call once, after the last byte; then the rest may be asked.
    [[nodiscard]] Fault complete();

    [[nodiscard]] const HeaderFields &fields() const noexcept { return fields_; }
    /// `b` of the seal.
    [[nodiscard]] const Digest256 &body_digest() const noexcept { return body_digest_; }
    /// The body alone lies in this descriptor, from 0.
    [[nodiscard]] int body_fd() const noexcept { return body_.fd(); }
    [[nodiscard]] std::uint64_t body_bytes() const noexcept { return body_.size(); }

  private:
    void body(std::string_view bytes);

    std::string header_;
    bool in_body_ = false;
    bool header_too_long_ = false;
    SpoolFile body_;
    Sha256 body_sha256_;
    HeaderFields fields_;
    Digest256 body_digest_{};
};

} // namespace demail::relay
