#include "tcos/ber.hpp"

namespace demail::tcos {

std::optional<TlvHeader> tlv_header(View bytes) noexcept {
    TlvHeader header;
    if (bytes.empty() || bytes[0] == 0x00 || bytes[0] == 0xff) return std::nullopt; // padding
    header.tag = bytes[0];
    header.size = 1;
    if ((bytes[0] & 0x1fU) == 0x1f) {
        // The second byte's first bit would announce a third one; below 0x1F one byte is enough.
        if (bytes.size() < 2 || bytes[1] < 0x1f || bytes[1] > 0x7f) return std::nullopt;
        header.tag = static_cast<std::uint16_t>(bytes[0] << 8U | bytes[1]);
        header.size = 2;
    }
    if (bytes.size() <= header.size) return std::nullopt;
    const unsigned first = bytes[header.size++];
    if (first < 0x80) {
        header.length = first;
        return header;
    }
    const std::size_t octets = first & 0x7fU;
    if (octets < 1 || octets > 3 || bytes.size() - header.size < octets) return std::nullopt;
    for (std::size_t i = 0; i < octets; ++i)
        header.length = header.length << 8U | bytes[header.size++];
    return header;
}

std::optional<Tlv> take_tlv(View &rest) noexcept {
    const auto header = tlv_header(rest);
    if (!header || rest.size() - header->size < header->length) return std::nullopt;
    const Tlv tlv{header->tag, rest.subspan(header->size, header->length),
                  rest.first(header->size + header->length)};
    rest = rest.subspan(tlv.whole.size());
    return tlv;
}

std::optional<View> find(View bytes, std::initializer_list<std::uint16_t> path) noexcept {
    for (const std::uint16_t tag : path) {
        std::optional<Tlv> tlv;
        do {
            tlv = take_tlv(bytes);
            if (!tlv) return std::nullopt;
        } while (tlv->tag != tag);
        bytes = tlv->value;
    }
    return bytes;
}

} // namespace demail::tcos
