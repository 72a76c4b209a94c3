#include "wire/frame.hpp"

namespace demail::wire {
namespace {

constexpr std::size_t head = 4;

std::size_t length_in(std::string_view bytes) noexcept {
    std::size_t length = 0;
    for (std::size_t i = 0; i < head; ++i)
        length = length << 8 | static_cast<unsigned char>(bytes[i]);
    return length;
}

} // namespace

FrameReader::FrameReader(std::size_t limit) : limit_(limit), buffer_(head + limit) {}

FrameReader::Room FrameReader::room() noexcept {
    buffer_.drop_front(taken_);
    taken_ = 0;
    if (broken_) return {nullptr, 0};
    return {buffer_.data() + buffer_.size(), buffer_.capacity() - buffer_.size()};
}

void FrameReader::received(std::size_t count) {
    buffer_.resize(buffer_.size() + count);
}

std::optional<std::string_view> FrameReader::next() {
    buffer_.drop_front(taken_);
    taken_ = 0;
    if (broken_ || buffer_.size() < head) return std::nullopt;
    const std::size_t length = length_in(buffer_.view());
    if (length == 0 || length > limit_) {
        broken_ = true;
        buffer_.wipe();
        return std::nullopt;
    }
    if (buffer_.size() < head + length) return std::nullopt;
    taken_ = head + length;
    return buffer_.view().substr(head, length);
}

} // namespace demail::wire
