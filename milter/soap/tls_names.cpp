#include "soap/tls_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace demail::soap {

namespace {

constexpr std::array<std::pair<unsigned, std::string_view>, 21> algorithms{{
    {0x0201, "RSA+SHA1"},
    {0x0203, "ECDSA+SHA1"},
    {0x0301, "RSA+SHA224"},
    {0x0303, "ECDSA+SHA224"},
    {0x0401, "RSA+SHA256"},
    {0x0403, "ECDSA+SHA256"},
    {0x0501, "RSA+SHA384"},
    {0x0503, "ECDSA+SHA384"},
    {0x0601, "RSA+SHA512"},
    {0x0603, "ECDSA+SHA512"},
    {0x0804, "rsa_pss_rsae_sha256"},
    {0x0805, "rsa_pss_rsae_sha384"},
    {0x0806, "rsa_pss_rsae_sha512"},
    {0x0807, "ed25519"},
    {0x0808, "ed448"},
    {0x0809, "rsa_pss_pss_sha256"},
    {0x080a, "rsa_pss_pss_sha384"},
    {0x080b, "rsa_pss_pss_sha512"},
    {0x081a, "ecdsa_brainpoolP256r1tls13_sha256"},
    {0x081b, "ecdsa_brainpoolP384r1tls13_sha384"},
    {0x081c, "ecdsa_brainpoolP512r1tls13_sha512"},
}};

constexpr std::size_t most_names = 12;

// Takes bytes from the front; what is not there is a failure from then on.
class Reader {
  public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}
    [[nodiscard]] bool good() const { return good_; }
    [[nodiscard]] bool empty() const { return bytes_.empty() || !good_; }
    std::string_view take(std::size_t size) {
        if (size > bytes_.size()) {
            good_ = false;
            size = 0;
        }
        const std::string_view part = bytes_.substr(0, size);
        bytes_.remove_prefix(size);
        return part;
    }
    unsigned number(std::size_t octets) {
        unsigned value = 0;
        for (const char byte : take(octets))
            value = value << 8 | static_cast<unsigned char>(byte);
        return value;
    }
    std::string_view vector(std::size_t octets_of_length) { return take(number(octets_of_length)); }

  private:
    std::string_view bytes_;
    bool good_ = true;
};

template <typename Name>
std::string listed(std::string_view numbers, Name name) {
    std::vector<std::string> names;
    for (Reader reader(numbers); !reader.empty();) {
        std::string one = name(reader.number(2));
        if (!one.empty()) names.push_back(std::move(one));
    }
    const std::size_t more = names.size() - std::min(names.size(), most_names);
    names.resize(names.size() - more);
    std::string text = fmt::format("{}", fmt::join(names, " "));
    if (more > 0) text += fmt::format(" and {} more", more);
    return text;
}

} // namespace

std::string version_name(int version) {
    switch (version) {
    case TLS1_3_VERSION:
        return "TLS 1.3";
    case TLS1_2_VERSION:
        return "TLS 1.2";
    case TLS1_1_VERSION:
        return "TLS 1.1";
    case TLS1_VERSION:
        return "TLS 1.0";
    default:
        return fmt::format("version {:#06x}", version);
    }
}

std::string algorithm_name(unsigned code) {
    const auto *const found = std::find_if(algorithms.begin(), algorithms.end(),
                                           [&](const auto &one) { return one.first == code; });
    return found != algorithms.end() ? std::string(found->second) : fmt::format("{:#06x}", code);
}

std::string alert_name(int alert) {
    if (alert == SSL_AD_CERTIFICATE_REQUIRED) return "certificate_required"; // not in OpenSSL 3.0
    std::string name = SSL_alert_desc_string_long(alert);
    std::replace(name.begin(), name.end(), ' ', '_');
    return name == "unknown" ? fmt::format("{}", alert) : name;
}

std::string offer_of(SSL *ssl, std::string_view client_hello) {
    Reader hello(client_hello);
    hello.take(4); // type and length
    std::string versions = version_name(static_cast<int>(hello.number(2)));
    hello.take(32);        // random
    (void)hello.vector(1); // session id
    const std::string ciphers = listed(hello.vector(2), [&](unsigned code) -> std::string {
        if (code == 0x00FF) return ""; // RFC 5746 3.3: a signal
        const unsigned char octets[] = {static_cast<unsigned char>(code >> 8),
                                        static_cast<unsigned char>(code)};
        const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, octets);
        return cipher != nullptr ? SSL_CIPHER_get_name(cipher) : "";
    });
    (void)hello.vector(1); // compression
    std::string groups, signatures;
    Reader extensions(hello.vector(2));
    while (!extensions.empty()) {
        const unsigned type = extensions.number(2);
        Reader extension(extensions.vector(2));
        if (type == TLSEXT_TYPE_supported_groups)
            groups = listed(extension.vector(2), [&](unsigned code) -> std::string {
                const char *name =
                    SSL_group_to_name(ssl, static_cast<int>(code) | TLSEXT_nid_unknown);
                return name != nullptr ? name : fmt::format("{:#06x}", code);
            });
        else if (type == TLSEXT_TYPE_signature_algorithms)
            signatures = listed(extension.vector(2), algorithm_name);
        else if (type == TLSEXT_TYPE_supported_versions)
            versions = listed(extension.vector(1),
                              [](unsigned code) { return version_name(static_cast<int>(code)); });
    }
    if (!hello.good() || !extensions.good()) return "";
    return fmt::format("{}; ciphers {}; groups {}; signature algorithms {}", versions, ciphers,
                       groups.empty() ? "none" : groups, signatures.empty() ? "none" : signatures);
}

} // namespace demail::soap
