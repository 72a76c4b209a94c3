// A message as LMTP brings it: on disk, its header fields in memory too, its body through the
// digest, in one pass.
#pragma once

#include "base/digest.hpp"
#include "journal/evidence.hpp"
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
    explicit IncomingMessage(std::shared_ptr<Spool> spool) : file_(std::move(spool)) {}
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
    /// All of it, byte for byte, and its body alone. The descriptor is the message's.
    [[nodiscard]] journal::FileRegion whole() const noexcept {
        return {file_.fd(), 0, file_.size()};
    }
    [[nodiscard]] journal::FileRegion body() const noexcept {
        return {file_.fd(), static_cast<off_t>(header_bytes_), file_.size() - header_bytes_};
    }

  private:
    std::string header_;
    std::size_t header_bytes_ = 0;
    bool in_body_ = false;
    bool header_too_long_ = false;
    SpoolFile file_;
    Sha256 body_sha256_;
    HeaderFields fields_;
    Digest256 body_digest_{};
};

} // namespace demail::relay
