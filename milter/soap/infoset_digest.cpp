#include "soap/infoset_digest.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace demail::soap {

namespace {

constexpr std::size_t piece = 48UL * 1024; // a multiple of 3: its base64 needs no padding

const unsigned char *bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char *>(text.data());
}

} // namespace

InfosetDigest::InfosetDigest(const EVP_MD *algorithm) : context_(EVP_MD_CTX_new()) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), algorithm, nullptr) != 1)
        throw std::runtime_error("libcrypto cannot start a digest");
}

void InfosetDigest::text(std::string_view octets) {
    end_content();
    if (EVP_DigestUpdate(context_.get(), octets.data(), octets.size()) != 1)
        throw std::runtime_error("libcrypto cannot go on with a digest");
}

void InfosetDigest::encode(std::string_view whole) {
    // EVP_EncodeBlock ends its text with a NUL. Grown only: to shrink and grow it costs a memset.
    const std::size_t needed = 4 * ((std::min(piece, whole.size()) + 2) / 3) + 1;
    if (text_.size() < needed) text_.resize(needed);
    while (!whole.empty()) {
        const std::string_view part = whole.substr(0, piece);
        const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char *>(text_.data()),
                                           bytes_of(part), static_cast<int>(part.size()));
        if (EVP_DigestUpdate(context_.get(), text_.data(), static_cast<std::size_t>(length)) != 1)
            throw std::runtime_error("libcrypto cannot go on with a digest");
        whole.remove_prefix(part.size());
    }
}

void InfosetDigest::content(std::string_view bytes) {
    if (!left_.empty()) {
        const std::size_t wanted = std::min(bytes.size(), 3 - left_.size());
        left_ += bytes.substr(0, wanted);
        bytes.remove_prefix(wanted);
        if (left_.size() < 3) return;
        encode(left_);
        left_.clear();
    }
    const std::size_t whole = bytes.size() - bytes.size() % 3;
    encode(bytes.substr(0, whole));
    left_ = bytes.substr(whole);
}

namespace {

template <typename Take>
void read_file(int fd, off_t offset, std::uint64_t length, Take take) {
    std::string buffer(std::min<std::uint64_t>(piece, length), '\0');
    while (length > 0) {
        const ssize_t got =
            ::pread(fd, buffer.data(), std::min<std::uint64_t>(buffer.size(), length), offset);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw std::system_error(errno, std::generic_category(), "reading the content");
        if (got == 0) throw std::runtime_error("the content's file is shorter than it was");
        take(std::string_view(buffer).substr(0, static_cast<std::size_t>(got)));
        offset += got;
        length -= static_cast<std::uint64_t>(got);
    }
}

} // namespace

void InfosetDigest::content(int fd, off_t offset, std::uint64_t length) {
    read_file(fd, offset, length, [this](std::string_view bytes) { content(bytes); });
}

void InfosetDigest::file(int fd, off_t offset, std::uint64_t length) {
    read_file(fd, offset, length, [this](std::string_view bytes) { text(bytes); });
}

void InfosetDigest::end_content() {
    if (left_.empty()) return;
    encode(left_);
    left_.clear();
}

std::string InfosetDigest::finish() {
    end_content();
    std::string digest(EVP_MAX_MD_SIZE, '\0');
    unsigned int length = 0;
    if (EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char *>(digest.data()),
                           &length) != 1)
        throw std::runtime_error("libcrypto cannot finish a digest");
    digest.resize(length);
    return digest;
}

} // namespace demail::soap
