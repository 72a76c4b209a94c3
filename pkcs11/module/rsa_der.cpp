#include "module/rsa_der.hpp"

#include <bit>

namespace demail::module {
namespace {

constexpr char tag_integer = 0x02, tag_bit_string = 0x03, tag_sequence = 0x30;
/// AlgorithmIdentifier rsaEncryption, NULL.
constexpr std::string_view rsa_encryption("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05"
                                          "\x00",
                                          15);

std::string element(char tag, std::string_view content) {
    std::string length;
    for (std::size_t rest = content.size(); rest > 0; rest >>= 8)
        length.insert(length.begin(), static_cast<char>(rest & 0xFF));
    if (content.size() >= 0x80)
        length.insert(length.begin(), static_cast<char>(0x80 | length.size()));
    else
        length.assign(1, static_cast<char>(content.size()));
    return tag + length + std::string(content);
}

std::string_view without_zeros(std::string_view number) noexcept {
    number.remove_prefix(std::min(number.find_first_not_of('\0'), number.size()));
    return number;
}

std::string unsigned_integer(std::string_view number) {
    std::string content(without_zeros(number));
    if (content.empty() || (content.front() & 0x80) != 0) content.insert(content.begin(), '\0');
    return element(tag_integer, content);
}

} // namespace

std::string rsa_public_key_info(std::string_view modulus, std::string_view exponent) {
    const std::string key =
        element(tag_sequence, unsigned_integer(modulus) + unsigned_integer(exponent));
    return element(tag_sequence, std::string(rsa_encryption) +
                                     element(tag_bit_string, std::string(1, '\0') + key));
}

std::size_t bits_of(std::string_view number) noexcept {
    const std::string_view digits = without_zeros(number);
    if (digits.empty()) return 0;
    return digits.size() * 8 -
           static_cast<std::size_t>(std::countl_zero(static_cast<unsigned char>(digits.front())));
}

} // namespace demail::module
