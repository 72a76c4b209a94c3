#include "message/seal.hpp"

#include <algorithm>
#include <utility>

namespace demail {

namespace {

constexpr std::size_t secret_size = 32;
constexpr std::size_t longest_id = 32;

bool fits_as_id(std::string_view id) noexcept {
    return !id.empty() && id.size() <= longest_id && std::ranges::all_of(id, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    });
}

Digest256 sub_key(std::string_view secret, std::string_view label) {
    return hkdf_sha256(secret, std::string("demail-gateway ").append(label));
}

std::string_view next_line(std::string_view &text) noexcept {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    return line;
}

std::string_view next_word(std::string_view &line) noexcept {
    constexpr std::string_view blanks = " \t\r";
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    const std::string_view word = line.substr(0, line.find_first_of(blanks));
    line.remove_prefix(word.size());
    return word;
}

} // namespace

SealKey::SealKey(std::string id, std::string_view secret)
    : id_(std::move(id)), seal_(sub_key(secret, "seal")), tag_(sub_key(secret, "tag")),
      private_id_(sub_key(secret, "private-id")) {}

Digest256 SealKey::mac(std::string_view bytes) const {
    return hmac_sha256(view(seal_), bytes);
}

std::string SealKey::recipient_tag(const Nonce &n, const Address &recipient) const {
    const Digest256 tag = hmac_sha256(view(tag_), std::string(view(n)) + recipient.lower());
    return base64url(view(tag).substr(0, 8));
}

std::string SealKey::private_id_digits(const Nonce &n, std::string_view submission_class) const {
    const Digest256 mac =
        hmac_sha256(view(private_id_), std::string(view(n)).append(submission_class));
    return hex(view(mac)).substr(0, 40);
}

std::variant<SealKeys, std::string> SealKeys::parse(std::string_view text) {
    SealKeys keys;
    // The sentences must never quote the line: it may hold a secret.
    for (std::size_t number = 1; !text.empty(); ++number) {
        std::string_view line = next_line(text);
        const std::string at = "line " + std::to_string(number) + ": ";
        const std::string_view id = next_word(line);
        if (id.empty() || id.starts_with('#')) continue;
        const std::string_view digits = next_word(line);
        const auto secret = from_hex(digits);
        if (!next_word(line).empty() || !secret || secret->size() != secret_size)
            return at + "expected a key id and 64 hexadecimal digits, with a blank between.";
        if (!fits_as_id(id))
            return at + "the key id may hold letters, digits, '.', '_' and '-', at most 32.";
        if (keys.find(id) != nullptr) return at + "this key id has been given above.";
        keys.keys_.emplace_back(std::string(id), *secret);
    }
    if (keys.keys_.empty()) return std::string("there is no key in it.");
    return keys;
}

const SealKey *SealKeys::find(std::string_view id) const noexcept {
    const auto found = std::ranges::find(keys_, id, &SealKey::id);
    return found == keys_.end() ? nullptr : &*found;
}

} // namespace demail
