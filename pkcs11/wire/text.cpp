#include "wire/text.hpp"

namespace demail::wire {
namespace {

bool continues(unsigned char byte) noexcept {
    return (byte & 0xC0) == 0x80;
}

/// Bytes of the character that `rest` begins with; 0: it begins with none that may be shown.
std::size_t character(std::string_view rest, bool line_ends) noexcept {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(rest[i]); };
    const unsigned char first = at(0);
    if (first < 0x80) {
        const bool shown = (first >= 0x20 && first != 0x7F) || (line_ends && first == '\n');
        return shown ? 1 : 0;
    }
    const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || rest.size() < size) return 0;
    for (std::size_t i = 1; i < size; ++i)
        if (!continues(at(i))) return 0;
    // Overlong forms, surrogates, beyond U+10FFFF, C1 controls.
    const unsigned char second = at(1);
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
        (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F) ||
        (first == 0xC2 && second < 0xA0))
        return 0;
    return size;
}

} // namespace

bool is_text(std::string_view bytes, bool line_ends) noexcept {
    while (!bytes.empty()) {
        const std::size_t size = character(bytes, line_ends);
        if (size == 0) return false;
        bytes.remove_prefix(size);
    }
    return true;
}

std::string as_text(std::string_view bytes, bool line_ends) {
    std::string text;
    while (!bytes.empty()) {
        const std::size_t size = character(bytes, line_ends);
        if (size == 0)
            text += '?';
        else
            text += bytes.substr(0, size);
        bytes.remove_prefix(size == 0 ? 1 : size);
    }
    return text;
}

void cut_text(std::string &text, std::size_t limit) {
    if (text.size() <= limit) return;
    std::size_t end = limit;
    while (end > 0 && continues(static_cast<unsigned char>(text[end])))
        --end;
    text.resize(end);
}

} // namespace demail::wire
