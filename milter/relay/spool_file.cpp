#include "relay/spool_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace demail::relay {

namespace {
constexpr std::size_t buffer_bytes = 64 * 1024;
} // namespace

SpoolFile::SpoolFile(const std::string &directory)
    : fd_(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)) {
    if (!fd_)
        throw std::system_error(errno, std::generic_category(), "spool directory " + directory);
}

void SpoolFile::append(std::string_view bytes) noexcept {
    size_ += bytes.size();
    if (failed_) return;
    if (buffer_.size() + bytes.size() > buffer_bytes) {
        write_out(buffer_);
        buffer_.clear();
    }
    if (bytes.size() >= buffer_bytes) {
        write_out(bytes);
        return;
    }
    try {
        buffer_.append(bytes);
    } catch (const std::bad_alloc &) {
        failed_ = true;
    }
}

bool SpoolFile::complete() noexcept {
    write_out(buffer_);
    buffer_.clear();
    return !failed_;
}

void SpoolFile::write_out(std::string_view bytes) noexcept {
    while (!failed_ && !bytes.empty()) {
        const ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
        if (written >= 0)
            bytes.remove_prefix(static_cast<std::size_t>(written));
        else if (errno != EINTR)
            failed_ = true;
    }
}

} // namespace demail::relay
