#include "message/subject_text.hpp"

#include "base/digest.hpp"
#include "message/ascii.hpp"
#include "message/utf8.hpp"

#include <algorithm>
#include <array>

namespace demail {

namespace {

constexpr char32_t unreadable = 0xfffd;

bool white(char c) noexcept {
    return ascii::blank(c) || ascii::line_break(c);
}

bool all_white(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), white);
}

int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    const char small = ascii::lower(c);
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

/// One UTF-8 character at the front: its length, or 0 where there is none.
std::size_t utf8_length(std::string_view text) noexcept {
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (length == 1) return 1;
    if (text.size() < length || !is_printable_utf8(text.substr(0, length))) return 0;
    return length;
}

char32_t utf8_value(std::string_view one) noexcept {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(one[i]); };
    constexpr std::array<unsigned, 5> mask{0, 0x7f, 0x1f, 0x0f, 0x07};
    char32_t value = at(0) & mask[one.size()];
    for (std::size_t i = 1; i < one.size(); ++i)
        value = (value << 6U) | (at(i) & 0x3fU);
    return value;
}

} // namespace

SubjectText::SubjectText(std::string_view value) {
    split(value);
    read();
}

/// RFC 2047 2, and no more: blanks in a word, or an empty charset, make it none. That a word must
/// stand between blanks is not asked for, since readers do not either.
bool SubjectText::read_word(std::string_view text, Piece &word, std::size_t &length) {
    const std::size_t charset = text.find('?', 2);
    if (charset == text.npos || charset == 2 || charset + 2 >= text.size() ||
        text[charset + 2] != '?')
        return false;
    const char encoding = ascii::lower(text[charset + 1]);
    const std::size_t start = charset + 3;
    const std::size_t end = text.find('?', start);
    if (end == text.npos || end + 1 >= text.size() || text[end + 1] != '=') return false;
    const std::string_view all = text.substr(0, end + 2), inside = text.substr(start, end - start);
    if (std::any_of(all.begin(), all.end(), [](char c) { return c <= ' ' || c > '~'; }))
        return false;
    if (encoding == 'b') {
        std::string padded(inside.substr(0, inside.find_last_not_of('=') + 1));
        padded.resize((padded.size() + 3) / 4 * 4, '='); // which some programs leave out
        auto octets = from_base64(padded);
        if (!octets) return false;
        word.octets = *std::move(octets);
        word.base64 = true;
    } else if (encoding == 'q') {
        for (std::size_t i = 0; i < inside.size(); ++i) {
            const int high =
                inside[i] == '=' && i + 2 < inside.size() ? hex_value(inside[i + 1]) : -1;
            const int low = high >= 0 ? hex_value(inside[i + 2]) : -1;
            if (low >= 0) {
                word.octets += static_cast<char>(high * 16 + low);
                word.octets_as.emplace_back(inside.substr(i, 3));
                i += 2;
            } else {
                word.octets += inside[i] == '_' ? ' ' : inside[i];
                word.octets_as.emplace_back(1, inside[i]);
            }
        }
    } else {
        return false;
    }
    word.kind = Piece::Kind::word;
    word.source = all;
    word.head = text.substr(0, start);
    length = all.size();
    return true;
}

void SubjectText::split(std::string_view value) {
    const auto add_raw = [&](std::string_view text, bool before_word) {
        if (text.empty()) return;
        const bool after_word = !pieces_.empty() && pieces_.back().kind == Piece::Kind::word;
        Piece piece;
        piece.kind =
            before_word && after_word && all_white(text) ? Piece::Kind::gap : Piece::Kind::raw;
        piece.source = text;
        pieces_.push_back(std::move(piece));
    };
    std::size_t raw = 0;
    for (std::size_t at = value.find("=?"); at != value.npos; at = value.find("=?", at)) {
        Piece word;
        std::size_t length = 0;
        if (!read_word(value.substr(at), word, length)) {
            at += 2;
            continue;
        }
        add_raw(value.substr(raw, at - raw), true);
        pieces_.push_back(std::move(word));
        at += length;
        raw = at;
    }
    add_raw(value.substr(raw), false);
}

SubjectText::Charset SubjectText::charset_of(const Piece &piece) {
    if (piece.kind == Piece::Kind::raw) return Charset::utf8;
    std::string_view name = std::string_view(piece.head).substr(2);
    name = name.substr(0, name.find_first_of("?*")); // RFC 2231 5: *language
    // Those where Ä Ö Ü ä ö ü ß have the octets that they have in ISO 8859-1.
    constexpr std::array<std::string_view, 16> latin{
        "iso-8859-1",   "iso-8859-2",   "iso-8859-3",   "iso-8859-4",  "iso-8859-9", "iso-8859-10",
        "iso-8859-13",  "iso-8859-14",  "iso-8859-15",  "iso-8859-16", "latin1",     "windows-1250",
        "windows-1252", "windows-1254", "windows-1257", "cp1252"};
    const auto is = [&](std::string_view one) { return ascii::equal(name, one); };
    if (is("utf-8") || is("utf8") || is("us-ascii")) return Charset::utf8;
    return std::any_of(latin.begin(), latin.end(), is) ? Charset::latin : Charset::other;
}

void SubjectText::add(char32_t character, std::size_t octets) {
    characters_ += character;
    ends_.push_back((ends_.empty() ? 0 : ends_.back()) + octets);
}

/// Pieces of one charset that follow each other: a character may be cut between two words, which
/// RFC 2047 5 forbids and programs do.
void SubjectText::read_run(std::size_t first, std::size_t end, Charset charset) {
    std::string run;
    for (std::size_t i = first; i < end; ++i) {
        const Piece &piece = pieces_[i];
        if (piece.kind == Piece::Kind::gap) continue;
        const std::string &octets = piece.kind == Piece::Kind::word ? piece.octets : piece.source;
        for (std::size_t index = 0; index < octets.size(); ++index)
            octets_.push_back({i, index});
        if (charset == Charset::other && !octets.empty()) add(unreadable, octets.size());
        run += octets;
    }
    if (charset == Charset::other) return;
    for (std::string_view rest = run; !rest.empty();) {
        const std::size_t length = charset == Charset::latin ? 1 : utf8_length(rest);
        if (length == 0)
            add(unreadable, 1);
        else if (length == 1)
            add(static_cast<unsigned char>(rest.front()), 1);
        else
            add(utf8_value(rest.substr(0, length)), length);
        rest.remove_prefix(std::max<std::size_t>(length, 1));
    }
}

void SubjectText::read() {
    for (std::size_t first = 0; first < pieces_.size();) {
        const Piece &piece = pieces_[first];
        std::size_t end = first + 1;
        const Charset charset = charset_of(piece);
        if (piece.kind == Piece::Kind::word)
            while (end < pieces_.size() && (pieces_[end].kind == Piece::Kind::gap ||
                                            (pieces_[end].kind == Piece::Kind::word &&
                                             charset_of(pieces_[end]) == charset)))
                ++end;
        if (piece.kind != Piece::Kind::gap) read_run(first, end, charset);
        first = end;
    }
}

std::string SubjectText::without(const std::vector<Range> &taken_out) const {
    std::vector<std::vector<bool>> gone(pieces_.size());
    for (const Range &range : taken_out) {
        if (range.begin >= range.end) continue;
        const std::size_t first = range.begin == 0 ? 0 : ends_.at(range.begin - 1);
        for (std::size_t i = first; i < ends_.at(range.end - 1); ++i) {
            auto &of_piece = gone[octets_[i].piece];
            of_piece.resize(std::max(of_piece.size(), octets_[i].index + 1));
            of_piece[octets_[i].index] = true;
        }
    }

    std::string out;
    std::string gap;            // seen since the last word that stays
    bool word_before = false;   // what was written last is a word
    bool removed_since = false; // something was taken out behind what was written last
    bool white_between = false; // what was written last is white space behind a word
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
        const Piece &piece = pieces_[i];
        const auto stays = [&](std::size_t index) {
            return index >= gone[i].size() || !gone[i][index];
        };
        if (piece.kind == Piece::Kind::gap) {
            if (gap.empty()) gap = piece.source;
            continue;
        }
        std::string kept;
        if (piece.kind == Piece::Kind::raw) {
            for (std::size_t index = 0; index < piece.source.size(); ++index)
                if (stays(index)) kept += piece.source[index];
            // A word and letters need a blank between them (RFC 2047 5).
            if (word_before && removed_since && !white_between && !kept.empty() &&
                !white(kept.front()))
                out += ' ';
            if (!kept.empty()) {
                white_between = word_before && all_white(kept);
                word_before = word_before && white_between;
                removed_since = false;
                gap.clear();
            }
            if (!gone[i].empty()) removed_since = true;
            out += kept;
            continue;
        }
        if (gone[i].empty()) {
            kept = piece.source;
        } else if (piece.base64) {
            std::string octets;
            for (std::size_t index = 0; index < piece.octets.size(); ++index)
                if (stays(index)) octets += piece.octets[index];
            if (!octets.empty()) kept = piece.head + base64(octets) + "?=";
        } else {
            for (std::size_t index = 0; index < piece.octets_as.size(); ++index)
                if (stays(index)) kept += piece.octets_as[index];
            if (!kept.empty()) kept = piece.head + kept + "?=";
        }
        if (kept.empty()) {
            removed_since = true;
            continue;
        }
        if (word_before && white_between)
            out += "=?us-ascii?Q?_?= "; // white space between two words would not be seen
        else if (word_before)
            out += gap.empty() && removed_since ? " " : gap;
        else if (removed_since && !out.empty() && !white(out.back()))
            out += ' ';
        out += kept;
        gap.clear();
        word_before = true;
        removed_since = white_between = false;
    }
    return out;
}

} // namespace demail
