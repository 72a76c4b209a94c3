// How this room writes bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace demail::tcos {

using Bytes = std::vector<unsigned char>;
using View = std::span<const unsigned char>;

/// The same bytes, as base/ and OpenSSL's text-like functions take them and as this room does.
[[nodiscard]] inline View bytes_of(std::string_view text) noexcept {
    return {reinterpret_cast<const unsigned char *>(text.data()), text.size()};
}
[[nodiscard]] inline std::string_view text_of(View bytes) noexcept {
    return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

} // namespace demail::tcos
