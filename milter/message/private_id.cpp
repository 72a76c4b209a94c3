#include "message/private_id.hpp"

#include <algorithm>

namespace demail {

namespace {

constexpr std::string_view prefix = "g1-";
constexpr std::size_t digit_count = 40;
constexpr std::size_t longest = 1024; // TR-01201 3.4 3.1.17
// RFC 5322 2.1.1 with "x-de-mail-private-id: " before it. The field can be folded at blanks alone:
// the text up to the first one has to fit into one line.
constexpr std::size_t longest_line = 998 - 22;

bool printable(char c) noexcept {
    return c >= ' ' && c <= '~';
}

bool gateway_part_fits(std::string_view text) noexcept {
    return text.starts_with(prefix) && text.size() >= prefix.size() + digit_count &&
           std::ranges::all_of(text.substr(prefix.size(), digit_count), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

std::string_view trimmed(std::string_view text) noexcept {
    while (text.starts_with(' '))
        text.remove_prefix(1);
    while (text.ends_with(' '))
        text.remove_suffix(1);
    return text;
}

} // namespace

PrivateId PrivateId::make(const SealKey &key, const Nonce &n, std::string_view submission_class,
                          std::string_view user_value) {
    // "unstructured" of RFC 2822 is ASCII; what is left is safe in XML as well.
    std::string user;
    for (const char c : user_value) {
        if (c == '\t')
            user += ' ';
        else if (printable(c))
            user += c;
    }
    PrivateId id;
    id.text_ = std::string(prefix) + key.private_id_digits(n, submission_class);
    if (trimmed(user).empty()) return id;
    std::string_view text = id.text_.append(";").append(trimmed(user));
    text = text.substr(0, longest);
    if (text.find(' ') > longest_line) text = text.substr(0, longest_line);
    id.text_ = std::string(trimmed(text));
    return id;
}

std::optional<PrivateId> PrivateId::parse(std::string_view text) {
    if (text.size() > longest || !gateway_part_fits(text)) return std::nullopt;
    std::string_view rest = text.substr(prefix.size() + digit_count);
    if (!rest.empty()) {
        if (rest.front() != ';') return std::nullopt;
        rest.remove_prefix(1);
        if (rest.empty() || rest != trimmed(rest) || !std::ranges::all_of(rest, printable))
            return std::nullopt;
    }
    PrivateId id;
    id.text_ = std::string(text);
    return id;
}

std::string user_private_id(const HeaderFields &fields) {
    const HeaderField *field = topmost(fields, "x-de-mail-private-id");
    // DWD's AFD, the one public sender of De-Mails, spells it so.
    if (field == nullptr) field = topmost(fields, "x-de-mail-privat-id");
    return field == nullptr ? std::string() : field->unfolded();
}

} // namespace demail
