// A reply with content: multipart/related as MTOM has it (RFC 2046 5.1, RFC 2387, XOP 1.0 chapter
// 4), read as it comes. The envelope stays in memory, the content goes to a file.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace demail::soap {

/// What a multipart/related Content-Type says; strict: type application/xop+xml of
/// application/soap+xml, a boundary as RFC 2046 allows it, no parameter twice.
struct MultipartType {
    std::string boundary;
    std::string start; ///< Content-ID of the envelope; "": the first part
};
/// nullopt where it is something else or broken. Pure.
[[nodiscard]] std::optional<MultipartType> multipart_type(std::string_view content_type);

/// Exactly two parts, the envelope first. Belongs to one thread.
class Multipart {
  public:
    struct Limits {
        std::uint64_t envelope = 1U << 20, content = 64U << 20; ///< bytes
    };
    /// The content is written to `file` from its present end; not owned.
    Multipart(MultipartType type, int file, Limits limits);

    /// The next bytes, cut anywhere. False once and for all when they are against the rules, or
    /// the file cannot be written: fault() says why.
    [[nodiscard]] bool feed(std::string_view bytes);
    /// The closing boundary was seen.
    [[nodiscard]] bool ended() const noexcept { return place_ == Place::end; }
    [[nodiscard]] const std::string &fault() const noexcept { return fault_; }

    [[nodiscard]] const std::string &envelope() const noexcept { return envelope_; }
    /// Without angle brackets.
    [[nodiscard]] const std::string &content_id() const noexcept { return content_id_; }
    [[nodiscard]] std::uint64_t content_bytes() const noexcept { return content_bytes_; }

  private:
    enum class Place { before, after_boundary, header, body, end };

    bool step();
    bool after_boundary();
    bool read_header();
    bool read_body();
    bool begin_part(std::string_view header);
    bool take(std::string_view bytes);
    bool refuse(std::string sentence);

    const std::string delimiter_; ///< CRLF, two hyphens, boundary
    const std::string start_;
    const int file_;
    const Limits limits_;
    Place place_ = Place::before;
    int part_ = 0;       ///< 1: the envelope, 2: the content
    bool begun_ = false; ///< the part's body, behind the empty line
    std::string waiting_;
    std::string envelope_, root_id_, content_id_, fault_;
    std::uint64_t content_bytes_ = 0;
};

} // namespace demail::soap
