// A region of a file in pieces, by pread: threads may share the descriptor.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace demail::soap {

/// Bytes; a multiple of 3, so that each piece but the last has base64 of its own.
inline constexpr std::size_t read_piece = 48UL * 1024;

/// Hands out each piece, whole but for the last one, until `take` says false. Throws
/// std::runtime_error where the file cannot be read or is shorter than it was.
template <typename Take>
void read_region(int fd, off_t offset, std::uint64_t length, Take take) {
    std::string buffer(std::min<std::uint64_t>(read_piece, length), '\0');
    std::size_t filled = 0;
    while (length > 0) {
        const std::size_t wanted = std::min<std::uint64_t>(buffer.size(), length);
        const ssize_t got = ::pread(fd, buffer.data() + filled, wanted - filled, offset);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw std::system_error(errno, std::generic_category(), "reading the content");
        if (got == 0) throw std::runtime_error("the content's file is shorter than it was");
        offset += got;
        filled += static_cast<std::size_t>(got);
        if (filled < wanted) continue;
        if (!take(std::string_view(buffer).substr(0, filled))) return;
        length -= filled;
        filled = 0;
    }
}

} // namespace demail::soap
