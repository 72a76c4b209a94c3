// A reply with content: a Content-Type up to the first LF, then the body, whole and in pieces.
#include "soap/multipart.hpp"

#include "base/handle.hpp"
#include "fuzz.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <utility>

namespace demail::fuzz {
namespace {

constexpr soap::Multipart::Limits limits{200, 300};

struct Read {
    bool ended = false;
    std::string envelope, content, id, fault;
    friend bool operator==(const Read &, const Read &) = default;
};

Read read(const soap::MultipartType &type, std::string_view body, unsigned pace) {
    static const Fd file(::memfd_create("content", MFD_CLOEXEC));
    HOLDS(::ftruncate(file.get(), 0) == 0 && ::lseek(file.get(), 0, SEEK_SET) == 0);
    soap::Multipart parts(type, file.get(), limits);
    while (!body.empty()) {
        const std::size_t length = pace == 0 ? body.size() : 1 + (pace = pace * 75 + 74) % 17;
        if (!parts.feed(body.substr(0, length))) break;
        body.remove_prefix(std::min(length, body.size()));
    }
    HOLDS(parts.envelope().size() <= limits.envelope);
    HOLDS(parts.content_bytes() <= limits.content);
    HOLDS(!parts.ended() || (parts.fault().empty() && !parts.content_id().empty()));
    std::string content(parts.content_bytes(), '\0');
    HOLDS(::pread(file.get(), content.data(), content.size(), 0) ==
          static_cast<ssize_t>(content.size()));
    return {parts.ended(), parts.envelope(), std::move(content), parts.content_id(), parts.fault()};
}

} // namespace

void multipart(std::string_view input) {
    Input taken(input);
    const unsigned pace = taken.byte();
    const std::string_view text = taken.rest();
    const std::size_t line = std::min(text.find('\n'), text.size());
    const auto type = soap::multipart_type(text.substr(0, line));
    if (!type) return;
    HOLDS(!type->boundary.empty() && type->boundary.size() <= 70);
    const std::string_view body = text.substr(std::min(line + 1, text.size()));
    const Read whole = read(*type, body, 0), pieces = read(*type, body, pace | 1U);
    // Of one that is refused, more may have been taken before the fault was seen.
    HOLDS(whole.fault == pieces.fault);
    HOLDS(!whole.fault.empty() || whole == pieces || !whole.ended);
    HOLDS(whole.ended == pieces.ended);
}

} // namespace demail::fuzz
