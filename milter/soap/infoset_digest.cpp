#include "soap/infoset_digest.hpp"

#include "soap/base64_ahead.hpp"
#include "soap/read_region.hpp"

#include <algorithm>
#include <stdexcept>

namespace demail::soap {

namespace {

constexpr std::uint64_t worth_a_thread = 1U << 20; // bytes

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
    update(octets);
}

void InfosetDigest::update(std::string_view octets) {
    if (EVP_DigestUpdate(context_.get(), octets.data(), octets.size()) != 1)
        throw std::runtime_error("libcrypto cannot go on with a digest");
}

void InfosetDigest::encode(std::string_view whole) {
    // EVP_EncodeBlock ends its text with a NUL. Grown only: to shrink and grow it costs a memset.
    const std::size_t needed = 4 * ((std::min(read_piece, whole.size()) + 2) / 3) + 1;
    if (text_.size() < needed) text_.resize(needed);
    while (!whole.empty()) {
        const std::string_view part = whole.substr(0, read_piece);
        const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char *>(text_.data()),
                                           bytes_of(part), static_cast<int>(part.size()));
        update(std::string_view(text_).substr(0, static_cast<std::size_t>(length)));
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

void InfosetDigest::content(int fd, off_t offset, std::uint64_t length) {
    const auto take = [this](std::string_view bytes) { return content(bytes), true; };
    if (length < worth_a_thread) return read_region(fd, offset, length, take);
    // Up to where base64 begins anew, then what is whole by itself, then the rest.
    const std::uint64_t first = (3 - left_.size()) % 3;
    const std::uint64_t whole = (length - first) / 3 * 3;
    read_region(fd, offset, first, take);
    Base64Ahead ahead(fd, offset + static_cast<off_t>(first), whole);
    for (auto text = ahead.next(); !text.empty(); text = ahead.next())
        update(text);
    read_region(fd, offset + static_cast<off_t>(first + whole), length - first - whole, take);
}

void InfosetDigest::file(int fd, off_t offset, std::uint64_t length) {
    read_region(fd, offset, length, [this](std::string_view bytes) { return text(bytes), true; });
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
