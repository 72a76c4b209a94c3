#include "relay/spool_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <system_error>

namespace demail::relay {

namespace {
constexpr std::size_t buffer_bytes = 64 * 1024;
} // namespace

Fd Spool::take() {
    {
        const std::lock_guard lock(mutex_);
        if (!empty_.empty()) {
            Fd file = std::move(empty_.back());
            empty_.pop_back();
            return file;
        }
    }
    Fd file(::open(directory_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (!file)
        throw std::system_error(errno, std::generic_category(), "spool directory " + directory_);
    return file;
}

void Spool::put_back(Fd file) noexcept {
    // One that has been given a name belongs to the evidence.
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0 || status.st_nlink != 0 ||
        ::ftruncate(file.get(), 0) != 0)
        return;
    const std::lock_guard lock(mutex_);
    if (empty_.size() == kept) return;
    try {
        empty_.push_back(std::move(file));
    } catch (const std::bad_alloc &) { // then it is closed
    }
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
        const ssize_t written = ::pwrite(fd_.get(), bytes.data(), bytes.size(), written_);
        if (written >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(written));
            written_ += written;
        } else if (errno != EINTR) {
            failed_ = true;
        }
    }
}

} // namespace demail::relay
