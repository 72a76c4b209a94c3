#include "soap/post.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace demail::soap {

Post::Post(const Envelope &envelope, const RequestBody &request) {
    if (request.content == nullptr) {
        content_type_ =
            fmt::format(R"(application/soap+xml; charset=utf-8; action="{}")", request.action);
        add(envelope.text);
        return;
    }
    // The message's UUID, 122 random bits made after the content: that it holds the boundary is a
    // chance that nobody can help.
    const std::string name = envelope.message_id.substr(envelope.message_id.rfind(':') + 1);
    const std::string boundary = "demail-" + name;
    const std::string start = "envelope." + name + "@demail-gateway";
    content_type_ = fmt::format(R"(multipart/related; type="application/xop+xml"; start="<{}>"; )"
                                R"(start-info="application/soap+xml"; action="{}"; boundary="{}")",
                                start, request.action, boundary);
    add(fmt::format("--{}\r\n"
                    "Content-Type: application/xop+xml; charset=utf-8; "
                    "type=\"application/soap+xml\"\r\n"
                    "Content-Transfer-Encoding: 8bit\r\n"
                    "Content-ID: <{}>\r\n\r\n",
                    boundary, start));
    add(envelope.text);
    add(fmt::format("\r\n--{}\r\n"
                    "Content-Type: message/rfc822\r\n"
                    "Content-Transfer-Encoding: binary\r\n"
                    "Content-ID: <{}>\r\n\r\n",
                    boundary, envelope.content_id));
    add(request.content->header);
    add(Region{request.content->body_fd, request.content->body_offset,
               request.content->body_length});
    add(fmt::format("\r\n--{}--\r\n", boundary));
}

void Post::add(Segment segment) {
    const auto *region = std::get_if<Region>(&segment);
    size_ += region != nullptr ? region->length : std::get<std::string>(segment).size();
    segments_.push_back(std::move(segment));
}

std::size_t Post::read(char *out, std::size_t room) {
    std::size_t written = 0;
    while (segment_ < segments_.size() && written < room) {
        const Segment &segment = segments_[segment_];
        const auto *region = std::get_if<Region>(&segment);
        const std::uint64_t length =
            region != nullptr ? region->length : std::get<std::string>(segment).size();
        if (done_ == length) {
            ++segment_;
            done_ = 0;
            continue;
        }
        auto take = std::min<std::uint64_t>(room - written, length - done_);
        if (region == nullptr) {
            std::copy_n(std::get<std::string>(segment).data() + done_, take, out + written);
        } else {
            const ssize_t got = ::pread(region->fd, out + written, take,
                                        region->offset + static_cast<off_t>(done_));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0)
                throw std::system_error(errno, std::generic_category(), "reading the content");
            if (got == 0) throw std::runtime_error("the content's file is shorter than it was");
            take = static_cast<std::uint64_t>(got);
        }
        written += take;
        done_ += take;
    }
    return written;
}

void Post::rewind() noexcept {
    segment_ = 0;
    done_ = 0;
}

} // namespace demail::soap
