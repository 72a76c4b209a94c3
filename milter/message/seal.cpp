#include "message/seal.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

namespace demail {

namespace {

constexpr std::string_view order = "vktnaseordbh";
constexpr std::string_view version = "1";
constexpr std::size_t largest_value = std::size_t{1} << 20;
constexpr std::size_t tag_octets = 8;

/// The values of the tags, in the order above.
using Values = std::array<std::string_view, order.size()>;

bool stands_as_it_is(char c) noexcept {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("._~@+-").find(c) != std::string_view::npos;
}

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto octet = static_cast<unsigned char>(c);
        if (stands_as_it_is(c))
            out += c;
        else
            (((out += '%') += digits[octet >> 4U]) += digits[octet & 15U]);
    }
    return out;
}

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        const auto octet = from_hex(text.substr(i + 1, 2));
        if (!octet || octet->size() != 1) return std::nullopt;
        out += *octet;
        i += 2;
    }
    // One text for one value, so that nothing can be written in two ways.
    if (percent_encoded(out) != text) return std::nullopt;
    return out;
}

template <std::size_t N>
bool read_octets(std::string_view text, std::array<unsigned char, N> &out) {
    const auto octets = from_base64url(text);
    if (!octets || octets->size() != N) return false;
    std::copy(octets->begin(), octets->end(), out.begin());
    return true;
}

bool read_time(std::string_view text, std::int64_t &time) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), time);
    return error == std::errc() && time >= 0 && std::to_string(time) == text;
}

bool read_tags(std::string_view text, std::vector<std::string> &tags) {
    for (;;) {
        const std::size_t comma = text.find(',');
        const std::string_view tag = text.substr(0, comma);
        const auto octets = from_base64url(tag);
        if (!octets || octets->size() != tag_octets) return false;
        if (!tags.empty() && tag <= tags.back()) return false;
        tags.emplace_back(tag);
        if (comma == std::string_view::npos) break;
        text.remove_prefix(comma + 1);
    }
    std::size_t padded = 4;
    while (padded < tags.size())
        padded *= 4;
    return tags.size() == padded;
}

// What `h` covers: for each tag before it its letter, the value's length as 32-bit big-endian, the
// value. The lengths keep two seals from having the same bytes.
std::string authenticated(const Values &values) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < order.size(); ++i) {
        const auto size = static_cast<std::uint32_t>(values[i].size());
        bytes += order[i];
        for (const unsigned shift : {24U, 16U, 8U, 0U})
            bytes += static_cast<char>(size >> shift & 0xffU);
        bytes += values[i];
    }
    return bytes;
}

// Exactly the tags of `order`, each once, nothing before, between or after.
bool split(std::string_view text, Values &values) {
    for (std::size_t i = 0; i < order.size(); ++i) {
        const std::size_t end = text.find(';');
        const bool last = i + 1 == order.size();
        if ((end == std::string_view::npos) != last) return false;
        const std::string_view tag = text.substr(0, end);
        if (tag.size() < 2 || tag[0] != order[i] || tag[1] != '=') return false;
        values[i] = tag.substr(2);
        if (!last) text.remove_prefix(end + 1);
    }
    return true;
}

bool read_values(const Values &values, Seal &seal) {
    const auto account = percent_decoded(values[order.find('a')]);
    const auto sender_text = percent_decoded(values[order.find('s')]);
    const auto envelope_sender = percent_decoded(values[order.find('e')]);
    const auto options = OptionSet::parse(values[order.find('o')]);
    if (!account || !sender_text || !envelope_sender || !options) return false;
    const auto sender = Address::parse(*sender_text);
    if (!sender || sender->lower() != *sender_text) return false;
    seal.account = *account;
    seal.sender = *sender;
    seal.envelope_sender = *envelope_sender;
    seal.options = *options;
    return read_time(values[order.find('t')], seal.time) &&
           read_octets(values[order.find('n')], seal.n) &&
           read_tags(values[order.find('r')], seal.tags) &&
           read_octets(values[order.find('d')], seal.fields) &&
           read_octets(values[order.find('b')], seal.body);
}

/// contrib/postfix/strip-seal-lines knows a line of a seal by them, where no field is a field any
/// more: in the body of a bounce.
constexpr std::string_view fold_blanks = "\t \t";

/// Writes pieces into lines of about 78 octets.
class Folder {
  public:
    explicit Folder(std::string_view line_end) : fold_(std::string(line_end).append(fold_blanks)) {}

    /// Puts the piece on this line or on a new one. Readers drop all blanks, so that even a piece
    /// that is longer than a line may be is broken (RFC 5322 2.1.1).
    void add(std::string_view piece, bool blank_before) {
        constexpr std::size_t width = 78;
        constexpr std::size_t longest_piece = 900;
        if (column_ + (blank_before ? 1U : 0U) + piece.size() > width && !out_.empty()) {
            out_ += fold_;
            column_ = fold_blanks.size();
        } else if (blank_before) {
            out_ += ' ';
            ++column_;
        }
        for (; piece.size() > longest_piece; piece.remove_prefix(longest_piece))
            out_.append(piece.substr(0, longest_piece)).append(fold_);
        out_ += piece;
        column_ += piece.size();
    }
    [[nodiscard]] std::string finish() && { return std::move(out_); }

  private:
    std::string fold_;
    std::string out_;
    std::size_t column_ = seal_field.size() + 1;
};

} // namespace

Digest256 sealed_fields_digest(const HeaderFields &fields) {
    Sha256 digest;
    for (const std::string_view name :
         {"From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID"})
        for (const HeaderField &field : fields)
            if (field.is(name)) digest.update(relaxed(field));
    return digest.finish();
}

bool Seal::covers(const SealKey &key, const Address &recipient) const {
    return std::ranges::binary_search(tags, key.recipient_tag(n, recipient));
}

Nonce new_nonce() {
    Nonce n{};
    random_bytes(n.data(), n.size());
    return n;
}

std::vector<std::string> recipient_tags(const SealKey &key, const Nonce &n,
                                        const std::vector<Address> &recipients) {
    std::set<std::string> tags;
    for (const Address &recipient : recipients)
        tags.insert(key.recipient_tag(n, recipient));
    std::size_t padded = 4;
    while (padded < tags.size())
        padded *= 4;
    while (tags.size() < padded) {
        std::array<unsigned char, tag_octets> padding{};
        random_bytes(padding.data(), padding.size());
        tags.insert(base64url(view(padding)));
    }
    return {tags.begin(), tags.end()};
}

std::string write_seal(const Seal &seal, const SealKey &key, std::string_view line_end) {
    std::string tags;
    for (const std::string &tag : seal.tags)
        tags.append(tags.empty() ? "" : ",").append(tag);
    std::array<std::string, order.size()> written{std::string(version),
                                                  key.id(),
                                                  std::to_string(seal.time),
                                                  base64url(view(seal.n)),
                                                  percent_encoded(seal.account),
                                                  percent_encoded(seal.sender.lower()),
                                                  percent_encoded(seal.envelope_sender),
                                                  seal.options.str(),
                                                  tags,
                                                  base64url(view(seal.fields)),
                                                  base64url(view(seal.body)),
                                                  ""};
    const Values values = [&written] {
        Values views;
        std::ranges::copy(written, views.begin());
        return views;
    }();
    written.back() = base64url(view(key.mac(authenticated(values))));

    Folder folder(line_end);
    for (std::size_t i = 0; i < order.size(); ++i) {
        std::string text = std::string(1, order[i]) + '=' + written[i];
        if (i + 1 < order.size()) text += ';';
        bool first = true;
        for (std::string_view rest = text; !rest.empty(); first = false) {
            // Only `r` and `o` hold commas.
            const std::size_t piece = std::min(rest.find(','), rest.size() - 1) + 1;
            folder.add(rest.substr(0, piece), first);
            rest.remove_prefix(piece);
        }
    }
    return std::move(folder).finish();
}

std::variant<CheckedSeal, SealFault> read_seal(std::string_view value, const SealKeys &keys) {
    if (value.size() > largest_value) return SealFault::malformed;
    std::string text(value);
    std::erase_if(text, [](char c) { return c == '\r' || c == '\n' || c == ' ' || c == '\t'; });
    Values values;
    if (!split(text, values)) return SealFault::malformed;
    if (values[order.find('v')] != version) return SealFault::malformed;
    const SealKey *key = keys.find(values[order.find('k')]);
    if (key == nullptr) return SealFault::unknown_key;
    Digest256 given{};
    if (!read_octets(values[order.find('h')], given)) return SealFault::malformed;
    // Before anything else is looked at: what follows reads only what a key holder wrote.
    if (!equal_constant_time(view(given), view(key->mac(authenticated(values)))))
        return SealFault::forged;
    CheckedSeal checked{{}, key};
    if (!read_values(values, checked.seal)) return SealFault::malformed;
    return checked;
}

} // namespace demail
