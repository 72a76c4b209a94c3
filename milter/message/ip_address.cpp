#include "message/ascii.hpp"
#include "message/rights.hpp"

#include <arpa/inet.h>

#include <algorithm>

namespace demail {

namespace {

// RFC 4291 2.5.5.2: ::ffff:0:0/96
constexpr int mapped_bits = 96;
constexpr std::array<unsigned char, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::array<unsigned char, 16> ipv6_loopback{0, 0, 0, 0, 0, 0, 0, 0,
                                                      0, 0, 0, 0, 0, 0, 0, 1};

using Bytes = std::array<unsigned char, 16>;

bool is_mapped(const Bytes &bytes) noexcept {
    return std::equal(mapped.begin(), mapped.end(), bytes.begin());
}

bool in_prefix(const Bytes &a, const Bytes &b, int bits) noexcept {
    for (std::size_t i = 0; i < a.size() && bits > 0; ++i, bits -= 8) {
        const unsigned mask = bits >= 8 ? 0xffU : 0xffU << (8 - bits) & 0xffU;
        if (((a[i] ^ b[i]) & mask) != 0) return false;
    }
    return true;
}

bool zero_after(const Bytes &bytes, int bits) noexcept {
    for (int bit = bits; bit < 128; ++bit)
        if ((bytes[static_cast<std::size_t>(bit / 8)] & 0x80U >> bit % 8) != 0) return false;
    return true;
}

} // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    constexpr std::string_view ipv6_tag = "IPv6:";
    if (text.starts_with('[')) {
        if (!text.ends_with(']')) return std::nullopt;
        text = text.substr(1, text.size() - 2);
    }
    const bool tagged = ascii::equal(text.substr(0, ipv6_tag.size()), ipv6_tag);
    if (tagged) text.remove_prefix(ipv6_tag.size());
    if (text.find('\0') != std::string_view::npos) return std::nullopt;
    const std::string terminated(text);
    IpAddress address;
    if (inet_pton(AF_INET6, terminated.c_str(), address.bytes_.data()) == 1) return address;
    std::copy(mapped.begin(), mapped.end(), address.bytes_.begin());
    if (!tagged &&
        inet_pton(AF_INET, terminated.c_str(), address.bytes_.data() + mapped.size()) == 1)
        return address;
    return std::nullopt;
}

bool IpAddress::loopback() const noexcept {
    return (is_mapped(bytes_) && bytes_[12] == 127) || bytes_ == ipv6_loopback;
}

std::optional<Network> Network::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::string_view base = text.substr(0, slash);
    const auto address = IpAddress::parse(base);
    if (!address) return std::nullopt;
    Network network;
    network.base_ = *address;
    if (slash == std::string_view::npos) return network;

    const std::string_view digits = text.substr(slash + 1);
    if (digits.empty() || digits.size() > 3 || (digits.size() > 1 && digits.front() == '0'))
        return std::nullopt;
    int prefix = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9') return std::nullopt;
        prefix = prefix * 10 + (c - '0');
    }
    if (base.find(':') == std::string_view::npos) prefix += mapped_bits;
    if (prefix > 128 || !zero_after(network.base_.bytes(), prefix)) return std::nullopt;
    network.prefix_ = prefix;
    return network;
}

bool Network::contains(const IpAddress &address) const noexcept {
    // "::/0" says all of IPv6; it does not say all of IPv4.
    if (prefix_ < mapped_bits && is_mapped(address.bytes())) return false;
    return in_prefix(base_.bytes(), address.bytes(), prefix_);
}

std::string Network::str() const {
    const bool v4 = is_mapped(base_.bytes()) && prefix_ >= mapped_bits;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (v4)
        ::inet_ntop(AF_INET, base_.bytes().data() + mapped.size(), text.data(), text.size());
    else
        ::inet_ntop(AF_INET6, base_.bytes().data(), text.data(), text.size());
    return std::string(text.data()) + '/' + std::to_string(v4 ? prefix_ - mapped_bits : prefix_);
}

bool Network::loopback() const noexcept {
    return base_.loopback() || contains(*IpAddress::parse("127.0.0.1")) ||
           contains(*IpAddress::parse("::1"));
}

} // namespace demail
