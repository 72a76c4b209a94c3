// BER-TLV from a card.
#include "tcos/ber.hpp"

#include "fuzz.hpp"

namespace demail::fuzz {

void ber(std::string_view input) {
    using namespace tcos;
    const View bytes = bytes_of(input);
    View rest = bytes;
    std::size_t taken = 0;
    for (;;) {
        const auto header = tlv_header(rest);
        const View before = rest;
        const auto tlv = take_tlv(rest);
        if (!tlv) {
            HOLDS(rest.data() == before.data() && rest.size() == before.size());
            HOLDS(!header || header->size + header->length > rest.size());
            break;
        }
        HOLDS(header && header->tag == tlv->tag && header->length == tlv->value.size());
        HOLDS(tlv->whole.size() == header->size + header->length);
        HOLDS(tlv->whole.data() == before.data());
        HOLDS(tlv->value.data() + tlv->value.size() == rest.data());
        taken += tlv->whole.size();
        // What is found below it lies in it.
        for (const std::uint16_t tag : {0x83, 0x90, 0x5a, 0x7f49}) {
            const auto found = find(before, {tlv->tag, tag});
            if (!found) continue;
            HOLDS(found->data() >= tlv->value.data());
            HOLDS(found->data() + found->size() <= tlv->value.data() + tlv->value.size());
        }
    }
    HOLDS(taken + rest.size() == bytes.size());
}

} // namespace demail::fuzz
