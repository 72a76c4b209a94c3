#include "crypto/pin.hpp"

#include "base/handle.hpp"
#include "crypto/token_key.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

namespace demail::crypto {
namespace {

constexpr std::size_t page_size = 4096;

[[noreturn]] void refuse(const std::string &path, const std::string &why) {
    throw TokenUnavailable(TokenUnavailable::Reason::locked,
                           fmt::format("the PIN file {} {}", path, why));
}

std::string origin_of(const std::string &path, const struct stat &status) {
    const char *const credentials = ::getenv("CREDENTIALS_DIRECTORY");
    if (credentials != nullptr && path.starts_with(std::string(credentials) + '/'))
        return fmt::format("credential {}", path.substr(path.rfind('/') + 1));
    return fmt::format("file {} {} {}.{:09}", status.st_dev, status.st_ino, status.st_mtim.tv_sec,
                       status.st_mtim.tv_nsec);
}

/// The file's origin.
std::string check_mode(const std::string &path, int fd) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) refuse(path, "cannot be looked at");
    if (!S_ISREG(status.st_mode)) refuse(path, "is no regular file");
    if ((status.st_mode & (S_IWGRP | S_IWOTH | S_IROTH)) != 0)
        refuse(path,
               fmt::format("has mode {:04o}: it must not be readable by everyone, nor writable "
                           "by group or others (chmod 600)",
                           status.st_mode & 07777));
    if (status.st_uid != 0 && status.st_uid != ::geteuid())
        refuse(path, "belongs neither to root nor to the user of this program");
    return origin_of(path, status);
}

} // namespace

Pin::Pin() {
    void *const page =
        ::mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) throw std::bad_alloc();
    page_ = static_cast<unsigned char *>(page);
    // Both may fail under tight limits; a PIN in ordinary memory is still better than no service.
    (void)::mlock(page_, page_size);
    (void)::madvise(page_, page_size, MADV_DONTDUMP);
}

Pin::Pin(Pin &&other) noexcept
    : page_(std::exchange(other.page_, nullptr)), size_(std::exchange(other.size_, 0)),
      origin_(std::move(other.origin_)) {}

Pin &Pin::operator=(Pin &&other) noexcept {
    std::swap(page_, other.page_);
    std::swap(size_, other.size_);
    std::swap(origin_, other.origin_);
    return *this;
}

Pin::~Pin() {
    if (page_ == nullptr) return;
    OPENSSL_cleanse(page_, page_size);
    ::munmap(page_, page_size);
}

Pin Pin::read(const std::string &path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd) refuse(path, fmt::format("cannot be opened: {}", std::strerror(errno)));
    Pin pin;
    pin.origin_ = check_mode(path, fd.get());
    // Two more than the longest: a line end and what shows that there is too much.
    while (pin.size_ < longest + 2) {
        const ssize_t got = ::read(fd.get(), pin.page_ + pin.size_, longest + 2 - pin.size_);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) refuse(path, fmt::format("cannot be read: {}", std::strerror(errno)));
        if (got == 0) break;
        pin.size_ += static_cast<std::size_t>(got);
    }
    if (pin.size_ > 0 && pin.page_[pin.size_ - 1] == '\n') --pin.size_;
    if (pin.size_ > 0 && pin.page_[pin.size_ - 1] == '\r') --pin.size_;
    if (pin.size_ == 0) refuse(path, "is empty");
    if (pin.size_ > longest) refuse(path, fmt::format("holds more than {} bytes", longest));
    if (std::any_of(pin.page_, pin.page_ + pin.size_, [](unsigned char c) { return c < 0x20; }))
        refuse(path, "must hold the PIN alone, on one line");
    return pin;
}

} // namespace demail::crypto
