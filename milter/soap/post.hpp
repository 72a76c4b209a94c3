// A request's HTTP body: application/soap+xml, or with content multipart/related as MTOM has it
// (SOAP MTOM 1.0, XOP 1.0 chapter 4).
#pragma once

#include "soap/envelope.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace demail::soap {

/// Content-Type and body, the body in segments of text and one of a file, read as a stream. Refers
/// to the content's descriptor, which must outlive it. Belongs to one thread at a time.
class Post {
  public:
    Post(const Envelope &envelope, const RequestBody &request);

    [[nodiscard]] const std::string &content_type() const noexcept { return content_type_; }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    /// The next bytes, at most `room`; 0 at the end. Throws std::runtime_error where the content
    /// cannot be read or is shorter than it was.
    [[nodiscard]] std::size_t read(char *out, std::size_t room);
    void rewind() noexcept;

  private:
    struct Region {
        int fd;
        off_t offset;
        std::uint64_t length;
    };
    using Segment = std::variant<std::string, Region>;
    void add(Segment segment);

    std::string content_type_;
    std::vector<Segment> segments_;
    std::uint64_t size_ = 0;
    std::size_t segment_ = 0;
    std::uint64_t done_ = 0; // of that segment
};

} // namespace demail::soap
