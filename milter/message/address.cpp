#include "message/address.hpp"

#include "base/handle.hpp"
#include "message/ascii.hpp"
#include "message/utf8.hpp"

#include <arpa/inet.h>
#include <idn2.h>

namespace demail {

namespace {

// RFC 5321 4.5.3.1 promises 64 octets for a local part and 256 for a path, and asks for no limit:
// bounce addresses of mailing lists (VERP) hold more than 64.
constexpr std::size_t longest_local = 256;
constexpr std::size_t longest_domain = 255;
constexpr std::size_t longest_label = 63;
// What may shrink to a domain: soft hyphens and their like vanish.
constexpr std::size_t longest_domain_text = 4 * longest_domain;

// Letters, digits, hyphens (RFC 1123 2.1), and the underscore: names with it receive mail.
bool is_host_name(std::string_view domain) noexcept {
    if (domain.empty() || domain.size() > longest_domain) return false;
    std::size_t label = 0;
    for (const char c : domain) {
        if (c == '.') {
            if (label == 0) return false;
            label = 0;
            continue;
        }
        const bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (!good || ++label > longest_label) return false;
    }
    return label > 0;
}

void drop_trailing_dot(std::string &domain) {
    if (domain.ends_with('.')) domain.pop_back();
}

// RFC 5321 4.1.3. Only addresses: "[de-mail.de]" must not pass for something harmless.
bool is_literal(std::string_view inside) {
    constexpr std::string_view ipv6 = "ipv6:";
    unsigned char bytes[16];
    if (inside.find('\0') != std::string_view::npos) return false;
    return inside.starts_with(ipv6)
               ? inet_pton(AF_INET6, std::string(inside.substr(ipv6.size())).c_str(), bytes) == 1
               : inet_pton(AF_INET, std::string(inside).c_str(), bytes) == 1;
}

// RFC 5322 3.2.3 dot-atom, RFC 6532 3.2 for the octets above 127.
bool is_dot_atom(std::string_view local) noexcept {
    if (local.empty() || local.front() == '.' || local.back() == '.') return false;
    for (std::size_t i = 0; i < local.size(); ++i) {
        const char c = local[i];
        if (c == '.' && local[i + 1] == '.') return false;
        if (std::string_view(" ()<>[]:;@\\,\"").find(c) != std::string_view::npos) return false;
    }
    return true;
}

std::string joined(std::string_view local, std::string_view domain) {
    std::string text;
    text.reserve(local.size() + domain.size() + 3);
    if (is_dot_atom(local)) {
        text = local;
    } else {
        text = '"';
        for (const char c : local) {
            if (c == '"' || c == '\\') text += '\\';
            text += c;
        }
        text += '"';
    }
    return text.append(1, '@').append(domain);
}

std::optional<std::string> u_label(const std::string &label) {
    if (!label.starts_with("xn--")) return std::nullopt;
    char *out = nullptr;
    const int outcome = idn2_to_unicode_8z8z(label.c_str(), &out, 0);
    const Handle<char, idn2_free> owner(out);
    if (outcome != IDN2_OK || out == nullptr || label == out) return std::nullopt;
    return out;
}

} // namespace

std::optional<std::string> normal_domain(std::string_view text) {
    if (text.empty() || text.size() > longest_domain_text || !is_printable_utf8(text))
        return std::nullopt;
    std::string domain;
    if (ascii::only(text)) {
        // Not libidn2: it refuses names that exist, as those with two hyphens or an underscore.
        domain = ascii::lower(text);
    } else {
        const std::string source(text);
        unsigned char *out = nullptr;
        const int outcome = idn2_lookup_u8(reinterpret_cast<const unsigned char *>(source.c_str()),
                                           &out, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
        const Handle<unsigned char, idn2_free> owner(out);
        if (outcome != IDN2_OK || out == nullptr) return std::nullopt;
        domain = ascii::lower(reinterpret_cast<const char *>(out));
    }
    drop_trailing_dot(domain);
    if (!is_host_name(domain)) return std::nullopt;
    return domain;
}

std::vector<std::string> u_label_spellings(std::string_view domain) {
    constexpr std::size_t most = 16;
    std::vector<std::string> spellings{""};
    while (!domain.empty()) {
        const std::size_t end = std::min(domain.find('.'), domain.size());
        const std::string label(domain.substr(0, end));
        const std::string_view dot = end < domain.size() ? "." : "";
        domain.remove_prefix(end + dot.size());
        const auto unicode = u_label(label);
        const std::size_t before = spellings.size();
        for (std::size_t i = 0; i < before; ++i) {
            if (unicode && before < most)
                spellings.push_back((spellings[i] + *unicode).append(dot));
            spellings[i].append(label).append(dot);
        }
    }
    spellings.erase(spellings.begin()); // the domain as it came
    return spellings;
}

std::optional<Address> Address::make(std::string local, std::string_view domain, bool literal) {
    if (local.empty() || local.size() > longest_local || !is_printable_utf8(local))
        return std::nullopt;
    Address address;
    address.local_ = std::move(local);
    std::string written = ascii::lower(domain);
    if (literal) {
        if (!is_literal(written)) return std::nullopt;
        address.domain_ = '[' + written + ']';
        return address;
    }
    auto normal = normal_domain(domain);
    if (!normal) return std::nullopt;
    address.domain_ = std::move(*normal);
    drop_trailing_dot(written);
    address.as_written_ = written == address.domain_;
    return address;
}

std::string Address::str() const {
    return joined(local_, domain_);
}

std::string Address::lower() const {
    return joined(ascii::lower(local_), domain_);
}

bool operator==(const Address &a, const Address &b) noexcept {
    return a.domain_ == b.domain_ && ascii::equal(a.local_, b.local_);
}

} // namespace demail
