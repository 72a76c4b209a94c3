#include "message/display_name.hpp"

#include "base/digest.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace demail {

namespace {

// RFC 5322 3.2.3
bool atext(char c) noexcept {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos);
}

bool dot_or_atext(char c) noexcept {
    return c == '.' || atext(c);
}

std::vector<std::string> words(std::string_view name) {
    std::vector<std::string> found(1);
    for (const char c : name) {
        if (static_cast<unsigned char>(c) > ' ' && c != '\x7f')
            found.back() += c;
        else if ((c == ' ' || c == '\t') && !found.back().empty())
            found.emplace_back();
    }
    if (found.back().empty()) found.pop_back();
    return found;
}

/// An encoded word, =?charset?B|Q?text?= (RFC 2047 2).
struct EncodedWord {
    char encoding;
    std::string_view text;
};

std::optional<EncodedWord> encoded_word(std::string_view word) noexcept {
    if (word.size() < 8 || !word.starts_with("=?") || !word.ends_with("?=")) return std::nullopt;
    word = word.substr(2, word.size() - 4);
    const std::size_t charset_end = word.find('?');
    if (charset_end == 0 || charset_end == std::string_view::npos) return std::nullopt;
    word.remove_prefix(charset_end + 1);
    if (word.size() < 2 || word[1] != '?') return std::nullopt;
    const char encoding = static_cast<char>(word[0] & ~0x20);
    if (encoding != 'B' && encoding != 'Q') return std::nullopt;
    return EncodedWord{encoding, word.substr(2)};
}

// Only a word that no parser can read as more than a word: a dot is obs-phrase (RFC 5322 4.1), and
// mail programs write it.
bool stands_as_encoded_word(std::string_view word) noexcept {
    return encoded_word(word).has_value() && std::ranges::all_of(word, dot_or_atext);
}

std::string q_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto octet = text[i] == '=' ? from_hex(text.substr(i + 1, 2)) : std::nullopt;
        if (octet && octet->size() == 1) {
            out += *octet;
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

bool holds_at_octet(std::string_view bytes) noexcept {
    // U+FF20 and U+FE6B look the same.
    return bytes.find('@') != std::string_view::npos ||
           bytes.find("\xef\xbc\xa0") != std::string_view::npos ||
           bytes.find("\xef\xb9\xab") != std::string_view::npos;
}

// The encoded words that a reader may find in the text, wherever they stand in it: some do so
// within quotes and without blanks around them. Linear: many words may begin before one end, but
// what the first of them decodes to ends in what each later one does.
bool encoded_words_hold_at(std::string_view text) {
    std::size_t end = 0; // of a "?=" that was found, and of the last Q word that was decoded
    std::size_t decoded = 0;
    for (std::size_t at = text.find("=?"); at != std::string_view::npos;
         at = text.find("=?", at + 2)) {
        const std::size_t charset_end = text.find('?', at + 2);
        const std::size_t text_start = charset_end == std::string_view::npos
                                           ? std::string_view::npos
                                           : text.find('?', charset_end + 1);
        if (text_start == std::string_view::npos) break;
        if (end < text_start + 3) {
            const std::size_t mark = text.find("?=", text_start + 1);
            if (mark == std::string_view::npos) break; // no word ends any more
            end = mark + 2;
        }
        const auto word = encoded_word(text.substr(at, end - at));
        if (!word) continue;
        if (word->encoding == 'Q') {
            if (decoded != end && holds_at_octet(q_decoded(word->text))) return true;
            decoded = end;
        } else {
            const auto bytes = from_base64(word->text);
            // What cannot be decoded here may be decoded elsewhere.
            if (!bytes || holds_at_octet(*bytes)) return true;
        }
    }
    return false;
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out += '"';
}

} // namespace

bool holds_at_sign(std::string_view display_name) {
    return holds_at_octet(display_name) || encoded_words_hold_at(display_name);
}

std::string phrase(std::string_view display_name) {
    std::string out;
    std::string run; // words that are quoted together, if one of them has to be
    const auto close_run = [&out, &run] {
        if (run.empty()) return;
        const bool bare = std::ranges::all_of(run, [](char c) { return c == ' ' || atext(c); });
        out.append(out.empty() ? "" : " ").append(bare ? run : quoted(run));
        run.clear();
    };
    for (const std::string &word : words(display_name)) {
        if (stands_as_encoded_word(word)) {
            close_run();
            out.append(out.empty() ? "" : " ").append(word);
        } else {
            run.append(run.empty() ? "" : " ").append(word);
        }
    }
    close_run();
    return out;
}

} // namespace demail
