// BER-TLV as cards write it (ISO 7816-4 5.2.2), read strictly: tags of one or two bytes, definite
// lengths of at most three length bytes, nothing that reaches behind its end. Pure, thread-safe;
// what comes out points into what went in.
#pragma once

#include "tcos/bytes.hpp"

#include <cstdint>
#include <initializer_list>
#include <optional>

namespace demail::tcos {

struct TlvHeader {
    std::uint16_t tag = 0;  ///< 0x5A, 0x7F49
    std::size_t size = 0;   ///< of tag and length
    std::size_t length = 0; ///< of the value
};

/// What stands at the front, without asking whether the value is all there: how much of a file must
/// be read. nullopt where the header is cut off or none.
[[nodiscard]] std::optional<TlvHeader> tlv_header(View bytes) noexcept;

struct Tlv {
    std::uint16_t tag = 0;
    View value;
    View whole; ///< with tag and length
};

/// Takes the first TLV off `rest`. nullopt, and `rest` as it was, where there is none.
[[nodiscard]] std::optional<Tlv> take_tlv(View &rest) noexcept;

/// The value below a path of tags, the first of each: find(record, {0xA0, 0x83}). nullopt where it
/// is not there or something before it is malformed.
[[nodiscard]] std::optional<View> find(View bytes,
                                       std::initializer_list<std::uint16_t> path) noexcept;

} // namespace demail::tcos
