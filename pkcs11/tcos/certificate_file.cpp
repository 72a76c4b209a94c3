#include "tcos/certificate_file.hpp"

#include "tcos/ber.hpp"

#include <openssl/err.h>

#include <algorithm>

namespace demail::tcos {
namespace {

constexpr std::uint16_t sequence = 0x30;
constexpr std::uint16_t object_identifier = 0x06;

bool erased(View bytes) noexcept {
    return std::all_of(bytes.begin(), bytes.end(), [](unsigned char c) { return c == 0x00; }) ||
           std::all_of(bytes.begin(), bytes.end(), [](unsigned char c) { return c == 0xff; });
}

} // namespace

const char *text(NoCertificate why) noexcept {
    switch (why) {
    case NoCertificate::empty:
        return "empty";
    case NoCertificate::malformed:
        return "no certificate";
    case NoCertificate::too_long:
        return "too long for a certificate";
    case NoCertificate::unreadable:
        return "not readable";
    }
    return "no certificate";
}

std::variant<std::size_t, NoCertificate> content_size(View first_bytes) noexcept {
    if (erased(first_bytes)) return NoCertificate::empty;
    const auto header = tlv_header(first_bytes);
    if (!header || header->tag != sequence) return NoCertificate::malformed;
    const std::size_t size = header->size + header->length;
    if (size > longest_certificate) return NoCertificate::too_long;
    return size;
}

std::variant<Certificate, NoCertificate> certificate_in(View file) {
    const auto size = content_size(file);
    if (const auto *why = std::get_if<NoCertificate>(&size)) return *why;
    const auto outer = take_tlv(file);
    if (!outer) return NoCertificate::malformed;
    View der = outer->whole;
    View inside = outer->value;
    // A certificate begins with the SEQUENCE of its TBSCertificate, never with an OID.
    const auto first = take_tlv(inside);
    if (first && first->tag == object_identifier) {
        const auto second = take_tlv(inside);
        if (!second) return NoCertificate::malformed;
        der = second->whole;
    }
    const unsigned char *position = der.data();
    Certificate certificate(d2i_X509(nullptr, &position, static_cast<long>(der.size())));
    ERR_clear_error();
    if (!certificate || position != der.data() + der.size()) return NoCertificate::malformed;
    return certificate;
}

} // namespace demail::tcos
